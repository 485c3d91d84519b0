# One image for every service, the console and the command: `docker build -t paperbus .`
# Layers from the bottom: Python, the pinned libraries, our own code. Only the last one changes with the code.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS libraries
WORKDIR /build
COPY requirements.txt .
# Byte code is made here, because the container's file system is read-only.
RUN python -m venv --without-pip /opt/paperbus \
 && python -m pip --python /opt/paperbus/bin/python install --no-cache-dir --disable-pip-version-check \
      --only-binary :all: --require-hashes -r requirements.txt \
 && find /opt/paperbus -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +

FROM libraries AS code
COPY requirements-local.txt pyproject.toml README.md LICENSE NOTICE ./
# The builder's own pins, hashes included, as `make lock` wrote them.
RUN awk '/^[a-z]/ { keep = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ } keep' \
      requirements-local.txt >builder.txt \
 && python -m venv /opt/builder \
 && /opt/builder/bin/pip install --no-cache-dir --disable-pip-version-check --quiet \
      --require-hashes --no-deps -r builder.txt
COPY schemas schemas
COPY kit kit
COPY providers providers
COPY web web
COPY services services
COPY console console
COPY paperbus paperbus
RUN /opt/builder/bin/hatchling build --target wheel --directory /wheel \
 && python -m pip --python /opt/paperbus/bin/python install --no-cache-dir --disable-pip-version-check \
      --no-deps --no-index --root /own /wheel/*.whl

FROM python:${PYTHON}-slim
COPY --from=libraries /opt/paperbus /opt/paperbus
COPY --from=code /own/opt/paperbus /opt/paperbus
ENV PATH=/opt/paperbus/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# It writes nothing but temporary files, and needs no rights: run it read-only, with a tmpfs on /tmp.
USER 10001:10001
WORKDIR /tmp
STOPSIGNAL SIGTERM
CMD ["paperbus", "--help"]
