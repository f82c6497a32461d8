# A Sticky node, run from its sources as the build-free workspace it is: `pnpm deploy` would keep the development exports.
FROM node:26-bookworm-slim AS workspace
RUN npm install --global pnpm@12
WORKDIR /opt/sticky
COPY package.json pnpm-workspace.yaml pnpm-lock.yaml ./
COPY packages/store/package.json packages/store/
COPY packages/proxy/package.json packages/proxy/
COPY packages/cli/package.json packages/cli/
RUN pnpm install --prod --frozen-lockfile
COPY packages packages

FROM node:26-bookworm-slim
ENV NODE_ENV=production
COPY --from=workspace /opt/sticky /opt/sticky
RUN ln -s /opt/sticky/packages/proxy/src/main.ts /usr/local/bin/sticky-proxy \
 && ln -s /opt/sticky/packages/cli/src/main.ts /usr/local/bin/sticky-cli \
 && chmod +x /opt/sticky/packages/proxy/src/main.ts /opt/sticky/packages/cli/src/main.ts
USER node
EXPOSE 8080
# Node itself is process 1: it hears SIGTERM and drains, and its workers are its own children.
ENTRYPOINT ["node", "/opt/sticky/packages/proxy/src/main.ts"]
CMD ["run", "-c", "/etc/sticky/sticky.yaml"]
