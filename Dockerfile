# The official Node, whose security fixes are newer than the one that npm ci brings for development.
FROM node:26.13.0-slim AS web
WORKDIR /app
COPY package.json package-lock.json ./
COPY client client
COPY web web
RUN npm ci --workspace client --workspace web --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY server/api/public server/api/public
COPY server/lib server/lib
RUN node web/build.ts

FROM node:26.13.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY tools/node-runtime/package.json tools/node-runtime/
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY tools/bundler tools/bundler
RUN cd tools/bundler && npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE ./
COPY --from=web /app/web/dist web/dist
COPY server server
# Readable by every user, whatever the umask of the checkout.
RUN node tools/bundler/bundle.mjs /image && chmod -R a+rX /image

FROM node:26.13.0-slim
LABEL org.opencontainers.image.title="Coffee Shop API" org.opencontainers.image.version="1.0.0" org.opencontainers.image.licenses="MIT"
WORKDIR /app
ENV HOST=0.0.0.0 PORT=8000
COPY --from=build /image ./
# The database file and the keys of SQLite; with PostgreSQL it stays empty. Any user id may write there.
RUN mkdir data && chmod 1777 data
# By its number, so that Kubernetes sees that it is not root. Any other id works, too.
USER 1000
VOLUME /app/data
EXPOSE 8000
# Liveness, not readiness: an outage of the database must not restart the process.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, which would swallow the signals.
CMD ["node", "server/main.js"]
