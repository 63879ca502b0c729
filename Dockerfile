# A release passes the digest of its base; npm run check:image passes one that it built itself.
ARG BASE=node:24-slim

FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# No package needs its install script: the addons come prebuilt. The embedded engine is a development dependency.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# What no Linux image of Debian's loads: other systems' addons, C sources, TypeScript and its maps.
RUN find node_modules/better-sqlite3/prebuilds -type f ! -name "linux-*.node" -delete \
    && rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src \
        node_modules/zod/src node_modules/@anthropic-ai/sdk/src \
    && find node_modules -type f \( -name "*.map" -o -name "*.d.ts" -o -name "*.d.mts" -o -name "*.d.cts" \) -delete

FROM ${BASE}
ARG UID=1000
ARG GID=1000
LABEL org.opencontainers.image.title="Personal AI Agent" \
      org.opencontainers.image.description="A privacy-first AI agent that you own." \
      org.opencontainers.image.licenses="MIT"
# The marker tells the program how its volume is mended: from outside, since there is no root and no sudo in here.
RUN install -d -o ${UID} -g ${GID} -m 0700 /data \
    && touch /etc/agent-image \
    && ln -s /app/agent.js /usr/local/bin/agent
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json agent.js LICENSE ./
COPY config ./config
COPY src ./src
ENV AGENT_HOME=/data HOME=/data
VOLUME /data
USER ${UID}:${GID}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["node", "/app/agent.js", "status"]
ENTRYPOINT ["node", "/app/agent.js"]
CMD ["serve"]
