# gtloc in a container that needs no network and writes nowhere but into the folder of cases: docs/docker.md.
#
#   docker build -t gtloc .
#   docker run --rm --network none --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     --user "$(id -u):$(id -g)" -v ~/Pictures/trip:/evidence:ro -v ~/cases:/cases gtloc audit /evidence -o /cases/trip

ARG BASE=python:3.11-slim

FROM ${BASE} AS wheel
WORKDIR /source
COPY setup.py pyproject.toml README.md LICENSE NOTICE ./
COPY gtloc_forensics gtloc_forensics
COPY plugins plugins
COPY models models
COPY reports/templates reports/templates
RUN python3 -m venv /build \
 && /build/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM ${BASE}
# exiftool, Debian's: the release of the base image decides which; `gtloc doctor` says it
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libimage-exiftool-perl \
 && rm -rf /var/lib/apt/lists/*
# PIP_ARGUMENTS: for instance the index of PyTorch's builds without CUDA, which are smaller by gigabytes
ARG PIP_ARGUMENTS=""
ARG EXTRAS="heic,images,sign"
COPY constraints.txt /tmp/constraints.txt
COPY --from=wheel /wheels /tmp/wheels
# hadolint ignore=SC2086
RUN python3 -m venv /opt/gtloc \
 && wheel="$(echo /tmp/wheels/*.whl)" \
 && /opt/gtloc/bin/pip install --no-cache-dir ${PIP_ARGUMENTS} --constraint /tmp/constraints.txt "${wheel}[${EXTRAS}]" \
 && rm -rf /tmp/wheels /tmp/constraints.txt
RUN useradd --uid 1000 --create-home examiner && mkdir /evidence /cases && chown 1000 /cases
# whoever it runs as, settings and caches lie where something may be written, and are gone afterwards
ENV PATH="/opt/gtloc/bin:${PATH}" HOME=/tmp LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
USER 1000
WORKDIR /cases
ENTRYPOINT ["gtloc"]
CMD ["--help"]
