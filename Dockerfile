# The sidecar and its tools: docker build -t lockstep . docs/running.md, "The image", has the rest.
# BASE: a Debian with npm, and a Node from nodejs.org in /usr/local/bin. It builds, and the image gets its Node.
ARG BASE=docker.io/library/node:24-trixie-slim
# RUNTIME: the Debian below the image. The git of Debian 13 is new enough for reftable.
ARG RUNTIME=docker.io/library/debian:trixie-slim

# buildah removes a base at the end if a stage has no step.
FROM ${BASE} AS node
WORKDIR /

# This stage runs on the architecture of the machine that builds. What it makes is for TARGETARCH: amd64 or arm64.
FROM --platform=${BUILDPLATFORM:-} ${BASE} AS build
ARG TARGETARCH
WORKDIR /lockstep
COPY scripts/image/compiler.sh scripts/image/
RUN sh scripts/image/compiler.sh "$TARGETARCH"
COPY package.json package-lock.json .npmrc* ./
COPY scripts scripts
# No package runs a script of its own. TypeScript and esbuild come as optional packages for this machine.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json LICENSE ./
COPY native native
COPY proto proto
COPY migrations migrations
COPY src src
COPY --from=node /usr/local/bin/node /image/usr/local/bin/node
RUN npm run build && sh scripts/image/files.sh "$TARGETARCH" /image

FROM ${RUNTIME}
COPY --from=build /image /
COPY scripts/image/debian.sh /tmp/
RUN sh /tmp/debian.sh && rm /tmp/debian.sh && \
    ln -s /lockstep/dist/main.js /usr/local/bin/lockstep && \
    lockstep install-shims /usr/local/lib/lockstep --root /srv/git && \
    ln -s ../lib/lockstep/lockstep-git ../lib/lockstep/lockstep-shell ../lib/lockstep/lockstep-upload-pack \
          ../lib/lockstep/lockstep-receive-pack /usr/local/bin/ && \
    install -d -o 1000 -g 1000 /srv/git /run/lockstep
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Lockstep" \
      org.opencontainers.image.description="A sidecar beside each git server that keeps every replica of a repository in lockstep" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
WORKDIR /lockstep
# Sidecar and git server run under the same user and see the repositories at the same path.
USER 1000:1000
ENV LOCKSTEP_ROOT=/srv/git LOCKSTEP_LISTEN=0.0.0.0:7420 LOCKSTEP_GIT_LISTEN=0.0.0.0:7421 LOCKSTEP_HTTP_LISTEN=0.0.0.0:7422
VOLUME ["/srv/git"]
EXPOSE 7420 7421 7422
# `lockstep gate` has no such port: run it with --no-healthcheck, or with a check of its --gate-http-listen.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["node", "-e", "const port = process.env.LOCKSTEP_HTTP_LISTEN.split(':').pop(); fetch(`http://127.0.0.1:${port}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "lockstep"]
CMD ["serve"]
