# The sidecar and its tools. Build: docker build -t lockstep . (or buildah bud -t lockstep .)
# BASE: a Debian with Node 20.20 or newer.
ARG BASE=docker.io/library/node:20-bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /lockstep
COPY package.json package-lock.json .npmrc* ./
COPY scripts scripts
# The compiler comes as an optional package; the embedded database of the demo goes again below.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY native native
COPY proto proto
COPY migrations migrations
COPY src src
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts

FROM ${BASE}
# tini reaps what a killed git leaves behind, which Node does not.
RUN apt-get update && apt-get install -y --no-install-recommends git tini ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /lockstep
COPY --from=build /lockstep/package.json ./
COPY --from=build /lockstep/node_modules node_modules
COPY --from=build /lockstep/dist dist
COPY --from=build /lockstep/proto proto
COPY --from=build /lockstep/migrations migrations
RUN ln -s /lockstep/dist/main.js /usr/local/bin/lockstep && \
    install -d -o 1000 -g 1000 /srv/git /run/lockstep
# Sidecar and git server run under the same user and see the repositories at the same path.
USER 1000:1000
ENV LOCKSTEP_ROOT=/srv/git LOCKSTEP_LISTEN=0.0.0.0:7420 LOCKSTEP_GIT_LISTEN=0.0.0.0:7421 LOCKSTEP_HTTP_LISTEN=0.0.0.0:7422
VOLUME ["/srv/git"]
EXPOSE 7420 7421 7422
ENTRYPOINT ["tini", "--", "lockstep"]
CMD ["serve"]
