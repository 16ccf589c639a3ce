# The image of deploy/image, for machines that have Docker; deploy/image/maquette_image_test.ts holds the two together.
FROM denoland/deno:2.9.6 AS build
WORKDIR /src
COPY . .
RUN deno task compile

FROM golang:1.26 AS render
WORKDIR /src
COPY render .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /maquette-render .

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=0:0 --chmod=0555 /src/dist/maquette /usr/local/bin/maquette
COPY --from=render --chown=0:0 --chmod=0555 /maquette-render /usr/local/bin/maquette-render
LABEL org.opencontainers.image.title="Maquette" \
  org.opencontainers.image.description="A preview environment for every pull request on Kubernetes" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV MALLOC_ARENA_MAX=1
WORKDIR /
# In numbers: a kubelet cannot tell that a name is not root's.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/maquette"]
CMD ["run"]
