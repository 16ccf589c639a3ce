/** What the job runner promises, proven on a real control plane with a real PostgreSQL. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { Terminal } from "../integration/previews.ts";
import { waitUntil } from "../wait.ts";
import { PostgresServer } from "./postgres.ts";
import { JobRunner } from "./runner.ts";

const IMAGE = "local.test/tools-unready:1";

function job(name: string, script: string, parts: { container?: unknown; pod?: unknown } = {}): unknown {
  const container = { name: "main", image: IMAGE, command: ["sh", "-ec", script], ...parts.container as object };
  const spec = { restartPolicy: "Never", containers: [container], ...parts.pod as object };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: "default" },
    spec: { backoffLimit: 0, template: { spec } },
  };
}

Deno.test("Jobs run really", async (t) => {
  await using server = await PostgresServer.start();
  await using plane = await startControlPlane();
  await using runner = await JobRunner.start(plane, {
    images: { tools: { env: { PATH: `${server.bin}:/usr/bin:/bin` } } },
  });
  const terminal = new Terminal(plane);
  const end = async (name: string): Promise<string> => {
    const found = await waitUntil(
      `job ${name} to end`,
      () => terminal.get("job", name),
      (object) =>
        object?.status?.conditions?.some(({ type }: { type: string }) => ["Complete", "Failed"].includes(type)),
    );
    return found!.status.succeeded ? "Complete" : "Failed";
  };
  const runOf = (name: string): JobRunner["runs"][number] => runner.runs.findLast((run) => run.job === name)!;

  await t.step("files, variables and arguments reach the process as they stand", async () => {
    await terminal.create(
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "files" }, data: { "a.sql": "select '$x${y}';" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "login" }, stringData: { password: server.password } },
      job("reads", 'cat /files/a.sql; printf "%s" "$PASSWORD" "$1" >/dev/termination-log; id -u; echo end >/data/end', {
        container: {
          args: ["sh", "$$(HOME) $(NAME)"],
          env: [
            { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "login", key: "password" } } },
            { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
          ],
          volumeMounts: [{ name: "files", mountPath: "/files" }, { name: "data", mountPath: "/data" }],
        },
        pod: {
          securityContext: { runAsUser: 65534, fsGroup: 65534 },
          volumes: [
            { name: "files", configMap: { name: "files" } },
            { name: "data", persistentVolumeClaim: { claimName: "data" } },
          ],
        },
      }),
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      },
    );
    assert.equal(await end("reads"), "Complete");
    const [pod] = await terminal.list("pods", "-l", "batch.kubernetes.io/job-name=reads", "-n", "default");
    const { exitCode, message } = pod!.status.containerStatuses[0].state.terminated;
    assert.deepEqual([exitCode, message], [0, `${server.password}$(HOME) default`]);
    const { stdout } = await plane.kubectl(["logs", pod!.metadata.name]);
    assert.equal(stdout.trim().split("\n")[0], `select '$x\${y}';${Deno.uid() === 0 ? "65534" : "0"}`);
    assert.equal(await Deno.readTextFile(join(await runner.claim("default", "data"), "end")), "end\n");
  });

  await t.step("a database answers, and what fails fails its Job with its exit code", async () => {
    const env = Object.entries(server.environment()).map(([name, value]) => ({
      name,
      value: value.replaceAll("$", "$$$$"),
    }));
    await terminal.create(
      job("asks", "psql -Atc 'select 40 + 2'", { container: { env } }),
      job("fails", "psql -Atc 'select nothing' || exit 7", { container: { env } }),
    );
    assert.equal(await end("asks"), "Complete");
    assert.equal(runOf("asks").log, "42\n");
    assert.equal(await end("fails"), "Failed");
    assert.equal(runOf("fails").exitCode, 7);
    assert.match(runOf("fails").log, /column "nothing" does not exist/);
  });

  await t.step("a volume may be full", async () => {
    runner.fill("default", "data", 4096);
    await terminal.create(job("fills", "head -c 100000 /dev/zero >/data/zeros", {
      container: { volumeMounts: [{ name: "data", mountPath: "/data" }] },
      pod: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] },
    }));
    assert.equal(await end("fills"), "Failed");
    assert.match(runOf("fills").log, /No space left on device/);
  });

  await t.step("what waits for a Secret goes on when it is there", async () => {
    await terminal.create(job("waits", 'echo "$WORD"', {
      container: { env: [{ name: "WORD", valueFrom: { secretKeyRef: { name: "later", key: "word" } } }] },
    }));
    await waitUntil(
      "the container to say what it lacks",
      () => terminal.list("pods", "-l", "batch.kubernetes.io/job-name=waits", "-n", "default"),
      ([pod]) => pod?.status?.containerStatuses?.[0]?.state?.waiting?.message === 'secret "later" not found',
    );
    await terminal.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "later" },
      stringData: { word: "ok" },
    });
    assert.equal(await end("waits"), "Complete");
    assert.equal(runOf("waits").log, "ok\n");
  });

  await t.step("a Job that is deleted takes its processes along", async () => {
    await terminal.create(job("sleeps", "echo started; sleep 600"));
    await waitUntil("it to run", () => runOf("sleeps")?.log, (log) => log === "started\n");
    await terminal.remove("job", "sleeps");
    await waitUntil("it to be killed", () => runOf("sleeps").exitCode, (code) => code === 137);
  });

  await t.step("a server that is killed comes back with its data", async () => {
    await server.query("postgres", "create table kept (n int); insert into kept values (1)");
    await server.kill();
    await server.restart();
    assert.deepEqual(await server.query("postgres", "select n from kept"), [["1"]]);
  });
});
