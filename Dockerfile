# A server in a container: docker build -t izo . (see docs/how-to/service.md). Mounts want the machine itself.
FROM node:24-bookworm AS build
WORKDIR /src
COPY . .
RUN scripts/setup && npx --yes pnpm@12.21.0 build && npx --yes pnpm@12.21.0 --silent run deb /

FROM debian:bookworm-slim
COPY --from=build /izo_*.deb /tmp/
RUN apt-get update \
  && apt-get install -y --no-install-recommends /tmp/izo_*.deb \
  && rm -rf /tmp/izo_*.deb /var/lib/apt/lists/*
VOLUME /export
EXPOSE 8370
ENTRYPOINT ["izo"]
CMD ["serve", "/export", "--listen", "0.0.0.0:8370", "--tls-cert", "/tls/cert.pem", "--tls-key", "/tls/key.pem"]
