# The official Node, whose security fixes are newer than the one that npm ci brings for development.
FROM node:26.13.0-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY tools/node-runtime/package.json tools/node-runtime/
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:26.13.0-slim
WORKDIR /app
ENV HOST=0.0.0.0 PORT=8000
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY server server
# The database file and the secret key of SQLite; with PostgreSQL it stays empty.
RUN install --directory --owner=node --group=node --mode=700 data
USER node
VOLUME /app/data
EXPOSE 8000
# Liveness, not readiness: an outage of the database must not restart the process.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --start-interval=1s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, which would swallow the signals.
CMD ["node", "--import", "./server/require-node.mjs", "server/main.ts"]
