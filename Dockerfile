# darknet in a container, which answers at once: its kernels are compiled while the image is built.
#
#   docker build -t darknet .
#   docker run --rm -v "$PWD:/work" darknet classify photo.jpg
#
# They are for the processor that builds; another kind of processor compiles its own at the first
# start (keep them with -v darknet-kernels:/var/cache/darknet).
FROM python:3.13-slim

ENV DARKNET_CACHE_DIR=/var/cache/darknet PYTHONDONTWRITEBYTECODE=1
COPY . /src
RUN pip install --no-cache-dir --compile /src && rm -rf /src

# The kernels of inference, of training's backward pass and of dreams.
RUN darknet classify \
    && darknet classify cfg/mnist.cfg data/mnist.weights data/digits/3.png \
    && darknet speed cfg/tiny.cfg 1 \
    && darknet nightmare -rounds 1 -iters 1 -o /tmp/dream.png \
    && rm /tmp/dream.png

WORKDIR /work
ENTRYPOINT ["darknet"]
CMD ["--help"]
