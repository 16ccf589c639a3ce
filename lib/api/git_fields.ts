/**
 * Fields that say where source code is: repositories, branches, commits, paths in a checkout.
 *
 * They end up in the arguments of git and in paths of a file system, so they are told narrowly: nothing that starts
 * like an option, leaves the checkout, or names a file of the operator itself.
 *
 * @module
 */
import type { z } from "zod";
import { matching, text } from "./fields.ts";
import { type Rule, withRules } from "./rules.ts";

const MAX_URL_LENGTH = 1024;
const MAX_PATH_LENGTH = 1024;
const HOST = "(?:[a-zA-Z0-9](?:[-a-zA-Z0-9.]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])";
const USER = "[_a-zA-Z0-9][-._a-zA-Z0-9]*";
const URL_PATH = "[-._~%+@:/a-zA-Z0-9]+";
/** Without credentials: those have a rule of their own, which is asked first. */
const URL_PATTERN = `^(?:https?://${HOST}(?::[0-9]{1,5})?/${URL_PATH}` +
  `|ssh://(?:${USER}@)?${HOST}(?::[0-9]{1,5})?/${URL_PATH}` +
  `|${USER}@${HOST}:[._~a-zA-Z0-9/][-._~%+@/a-zA-Z0-9]*)$`;
const CREDENTIALS = "^(?:https?://[^/]*@|ssh://[^/@]*:[^/]*@)";

const COMMIT_PATTERN = "^[0-9a-f]{4,64}$";
/** What git itself refuses in the name of a branch, as far as single characters tell. */
const BRANCH_PATTERN = "^[^\\x00-\\x20\\x7f~^:?*\\[\\\\]+$";
const BAD_BRANCH = "^[-/.]|[/.]$|\\.lock$|\\.\\.|//|/\\.|@\\{|\\.lock/|^@$";
const PATH_PATTERN = "^[^\\x00-\\x1f\\x7f\\\\]+$";
const ESCAPE = "^/|(?:^|/)\\.\\.(?:/|$)";

/** A rule that a pattern must not be found. `in` is as RE2 and ECMAScript both read it, without quotes. */
function without(pattern: string, message: string): Rule<string> {
  const compiled = new RegExp(pattern);
  return { cel: `!self.matches(r'${pattern}')`, holds: (value) => !compiled.test(value), message };
}

/** Where a git repository is, for a client that is not on the machine of the repository. */
export function repositoryUrl(): z.ZodString {
  const compiled = new RegExp(URL_PATTERN);
  return withRules(
    text(1, MAX_URL_LENGTH),
    without(CREDENTIALS, "Must not carry credentials: keep them in a Secret and name it in secretRef"),
    {
      cel: `self.matches(r'${URL_PATTERN}')`,
      holds: (url) => compiled.test(url),
      message: "Must be https://host/path, http://host/path, ssh://[user@]host/path or user@host:path",
    },
  );
}

/** The name of a branch, as git takes it. */
export function branchName(): z.ZodString {
  const message = "Must be the name of a branch: no white space and none of ~ ^ : ? * [ \\";
  return withRules(
    matching(BRANCH_PATTERN, { max: 255, message }),
    without(
      BAD_BRANCH,
      'Must be the name of a branch, which neither starts with - / . nor has "..", "//", "@{" or ".lock"',
    ),
  );
}

/** A commit, in full or cut short. */
export function commitSha(): z.ZodString {
  return matching(COMMIT_PATTERN, { max: 64, message: "Must be the SHA of a commit: 4 to 64 of 0-9 and a-f" });
}

/** A path in a checkout. */
export function checkoutPath(): z.ZodString {
  const message = "Must be a path with slashes, without control characters";
  return withRules(
    matching(PATH_PATTERN, { max: MAX_PATH_LENGTH, message }),
    without(ESCAPE, 'Must stay in the repository: relative, without ".."'),
  );
}
