# attendant-server and attendant with the models that ship, and nothing else: no shell, no package manager, no interpreter.
#
#   docker build -t attendant .                                            # 23 or later; or: podman build, buildah bud
#   docker build -t attendant --build-arg BASE_IMAGE=debian:12-slim .      # Debian 12's libraries
#   docker run --rm -p 8500:8500 -p 9500:9500 attendant
#   docker run --rm -p 8500:8500 --read-only --cap-drop=ALL -v /srv/models:/models:ro attendant
#
# docs/deploy.md says the rest.
ARG BASE_IMAGE=docker.io/library/debian:13-slim

FROM ${BASE_IMAGE} AS build
COPY deploy/debian-packages.txt /src/deploy/
# The part of the list that the tests do not need alone.
RUN apt-get update -qq \
 && sed '/^# For the tests/,$d; /^#/d' /src/deploy/debian-packages.txt \
  | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y -qq --no-install-recommends >/dev/null
COPY . /src
WORKDIR /src
RUN --mount=type=cache,target=/ccache \
    export CCACHE_DIR=/ccache \
 && cmake --preset release -DBUILD_TESTING=OFF \
 && cmake --build --preset release --parallel "$(nproc)" --target attendant-server attendant \
 && DESTDIR=/image cmake --install build/release --prefix /usr --strip --component runtime \
 && DESTDIR=/image cmake --install build/release --prefix /usr --component models
# The models at a path that is short to mount over; a user without a name in the machine; somewhere for a --port-file.
RUN mv /image/usr/share/attendant/models /image/models && rmdir /image/usr/share/attendant \
 && mkdir -p /image/etc && mkdir -m 1777 /image/tmp \
 && echo 'attendant:x:65532:65532:attendant:/:/sbin/nologin' >/image/etc/passwd \
 && echo 'attendant:x:65532:' >/image/etc/group \
 && deploy/container/runtime-root.sh /image /usr/bin/attendant-server /usr/bin/attendant

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="attendant" \
      org.opencontainers.image.description="Transformer inference server for CPUs: translations, embeddings and classes over gRPC" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
# A number, so that Kubernetes' runAsNonRoot can see that it is not root.
USER 65532:65532
EXPOSE 8500 9500
# The first SIGTERM drains: give it more time than --drain-grace-ms and --drain-timeout-ms together (docker run --stop-timeout 40).
STOPSIGNAL SIGTERM
# Kubernetes and compose have probes of their own; this one is for docker run.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["/usr/bin/attendant", "health"]
# Exec form: the server is PID 1, gets the signals itself, and leaves no zombies.
ENTRYPOINT ["/usr/bin/attendant-server"]
# BEWARE: in the clear and for everyone who reaches the port. A container's loopback is reached by nobody, so it has to listen on all its
# addresses, and without a certificate that must be said: --insecure. Publish the port on a network that you trust, or give
# TLS and keys, or put a proxy in front (docs/deploy.md). Arguments of `docker run` replace all of these.
CMD ["--models=/models", "--listen=0.0.0.0:8500", "--metrics=0.0.0.0:9500", "--insecure"]
