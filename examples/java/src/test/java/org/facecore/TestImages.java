package org.facecore;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** Images in all layouts, and what is found in them by a recognizer that finds faces everywhere. */
final class TestImages {
    private TestImages() {}

    /** A BMP of one colour, 24 bits a pixel. */
    static byte[] bmp(int width, int height) {
        int row = (3 * width + 3) / 4 * 4;
        ByteBuffer file = ByteBuffer.allocate(54 + row * height).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        file.put((byte) 'B').put((byte) 'M').putInt(file.capacity()).putInt(0).putInt(54);
        file.putInt(40).putInt(width).putInt(height).putShort((short) 1).putShort((short) 24).putInt(0)
                .putInt(row * height).putInt(0).putInt(0).putInt(0).putInt(0);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                file.put(54 + y * row + 3 * x, (byte) 10).put(54 + y * row + 3 * x + 1, (byte) 20)
                        .put(54 + y * row + 3 * x + 2, (byte) 30);
            }
        }
        return file.array();
    }

    static void run() throws Exception {
        try (Recognizer recognizer = Fake.open(6, 128)) {
            faces(recognizer);
            layouts(recognizer);
            planes(recognizer);
            encoded(recognizer);
            files(recognizer);
            Check.isNull(() -> recognizer.recognize(null));
            Check.isNull(() -> recognizer.recognizeFile(null));
            Check.isNull(() -> recognizer.recognizeEncoded((byte[]) null));
            Check.isNull(() -> recognizer.recognizeEncoded((ByteBuffer) null));
            Check.isNull(() -> recognizer.recognizeOne(Fake.image(), null));
            Check.isNull(() -> recognizer.compare(Fake.image(), null, Choice.ONLY));
            Check.status(Status.SEVERAL_FACES, () -> recognizer.recognizeOne(Fake.image(), Choice.ONLY));
            try (Faces one = recognizer.recognizeOne(Fake.image(), Choice.LARGEST)) {
                Check.equal(1, one.count());
            }
            Comparison same = recognizer.compare(Fake.image(), Fake.image(), Choice.CENTRAL);
            Check.near(1, same.cosine, 1e-5);
            Check.that(same.same && same.threshold > 0, "the same");
        }
        try (Recognizer none = Fake.open(0, 128)) {
            Check.status(Status.NO_FACE, () -> none.recognizeOne(Fake.image(), Choice.LARGEST));
            try (Faces faces = none.recognize(Fake.image())) {
                Check.equal(0, faces.count());
            }
        }
        pictures();
    }

    private static void faces(Recognizer recognizer) {
        Faces faces = recognizer.recognize(Fake.image());
        Check.equal(6, faces.count());
        Check.equal(6, faces.list().size());
        Check.equal(256, faces.width);
        Check.equal(256, faces.height);
        Check.that(faces.detectSeconds > 0 && faces.embedSeconds > 0 && faces.decodeSeconds == 0, "times");
        int seen = 0;
        for (Face face : faces) {
            seen++;
            Check.that(face.x1 < face.x2 && face.y1 < face.y2 && face.score > 0 && face.score <= 1, face.toString());
            float[] landmarks = face.landmarks();
            Check.equal(10, landmarks.length);
            Check.that(landmarks[0] > face.x1 && landmarks[0] < face.x2, "the eye is in the box");
        }
        Check.equal(6, seen);
        Check.throwing(IndexOutOfBoundsException.class, () -> faces.get(6));
        Check.throwing(IndexOutOfBoundsException.class, () -> faces.get(-1));
        Check.throwing(IndexOutOfBoundsException.class, () -> faces.embedding(6));
        Check.throwing(IndexOutOfBoundsException.class, () -> faces.embedding(-1));
        Check.throwing(UnsupportedOperationException.class, () -> faces.list().remove(0));
        try (Faces few = recognizer.recognize(Fake.image(), new DetectorOptions().maxFaces(2))) {
            Check.equal(2, few.count());
        }
        faces.close();
        faces.close();
        Check.that(faces.isClosed(), "closed");
        Check.equal(6, faces.count());
        Check.closed(() -> faces.embedding(0));
        Check.closed(() -> faces.copyEmbeddings(new float[6 * 128], 0));
    }

    private static int count(Recognizer recognizer, Image image) {
        try (Faces faces = recognizer.recognize(image)) {
            return faces.count();
        }
    }

    private static void layouts(Recognizer recognizer) {
        for (Format format : Format.values()) {
            boolean planes = format == Format.NV12 || format == Format.NV21;
            int each = format == Format.GRAY || planes ? 1 : format == Format.RGB || format == Format.BGR ? 3 : 4;
            int stride = 256 * each + 64;
            ByteBuffer packed = ByteBuffer.allocateDirect(256 * 256 * each + (planes ? 256 * 128 : 0));
            Check.equal(6, count(recognizer, Image.packed(packed, format, 256, 256)));
            ByteBuffer wide = ByteBuffer.allocateDirect(stride * 256 + (planes ? stride * 128 : 0));
            Check.equal(6, count(recognizer, Image.packed(wide, format, 256, 256, stride)));
            wide.limit(stride * 200);
            Image shorter = Image.packed(wide, format, 256, 256, stride);
            Check.status(Status.IMAGE_LAYOUT, () -> recognizer.recognize(shorter));
            // What remains of the buffer counts as it was when the image was made.
            packed.position(1);
            Image moved = Image.packed(packed, format, 256, 256);
            packed.clear();
            Check.status(Status.IMAGE_LAYOUT, () -> recognizer.recognize(moved));
            Check.equal(6, count(recognizer, Image.packed(packed.asReadOnlyBuffer(), format, 256, 256).rotated(180)));
        }
        ByteBuffer pixels = ByteBuffer.allocateDirect(256 * 256 * 3);
        Image image = Image.packed(pixels, Format.RGB, 256, 256);
        Check.status(Status.INVALID_ARGUMENT, () -> recognizer.recognize(image.rotated(45)));
        Check.status(Status.INVALID_ARGUMENT, () -> recognizer.recognize(image.rotated(-90)));
        Check.status(Status.IMAGE_LAYOUT, () -> recognizer.recognize(Image.packed(pixels, Format.RGB, 256, 256, 10)));
        Check.status(Status.IMAGE_LAYOUT, () -> recognizer.recognize(Image.packed(pixels, Format.RGB, 0, 256)));
        Check.status(Status.IMAGE_LAYOUT, () -> recognizer.recognize(
                Image.packed(pixels, Format.RGB, Integer.MAX_VALUE, Integer.MAX_VALUE)));
        Check.throwing(IllegalArgumentException.class, () -> Image.packed(pixels, Format.RGB, -1, 256));
        Check.throwing(IllegalArgumentException.class, () -> Image.packed(pixels, Format.RGB, 1, 256, -3));
        String heap = Check.throwing(IllegalArgumentException.class,
                () -> Image.nv21(ByteBuffer.allocate(256 * 256 * 2), 256, 256)).getMessage();
        Check.that(heap.contains("allocateDirect"), heap);
        Check.isNull(() -> Image.nv21(null, 256, 256));
        Check.isNull(() -> Image.packed(pixels, null, 256, 256));
        pixels.position(pixels.limit());
        Check.throwing(FacecoreException.class, () -> recognizer.recognize(Image.packed(pixels, Format.RGB, 256, 256)));
    }

    /** A camera's image with rows of 320 bytes, as android.media.Image shows it: U and V are one byte apart, and the
     * buffer of each ends with its own last byte. */
    static ByteBuffer[] cameraPlanes(int width, int height, int stride, boolean isNv21) {
        ByteBuffer y = ByteBuffer.allocateDirect(stride * (height - 1) + width);
        ByteBuffer pairs = ByteBuffer.allocateDirect(stride * (height / 2 - 1) + width);
        pairs.limit(pairs.capacity() - 1);
        ByteBuffer first = pairs.slice();
        pairs.limit(pairs.capacity()).position(1);
        ByteBuffer second = pairs.slice();
        return isNv21 ? new ByteBuffer[] { y, second, first } : new ByteBuffer[] { y, first, second };
    }

    private static void planes(Recognizer recognizer) {
        for (boolean isNv21 : new boolean[] { true, false }) {
            ByteBuffer[] planes = cameraPlanes(256, 256, 320, isNv21);
            Image image = Image.yuv420(planes[0], 320, planes[1], planes[2], 320, 2, 256, 256);
            Check.equal(isNv21 ? Format.NV21 : Format.NV12, image.format());
            Check.equal(6, count(recognizer, image));
            Check.equal(6, count(recognizer, image.rotated(270)));
        }
        ByteBuffer y = ByteBuffer.allocateDirect(256 * 256);
        ByteBuffer vu = ByteBuffer.allocateDirect(256 * 128);
        Check.equal(6, count(recognizer, Image.semiPlanar(y, 256, vu, 256, Format.NV21, 256, 256)));
        Check.equal(6, count(recognizer, Image.semiPlanar(y, 0, vu, 0, Format.NV12, 256, 256)));
        Check.status(Status.INVALID_ARGUMENT, () -> recognizer.recognize(
                Image.semiPlanar(y, 0, vu, 0, Format.RGB, 256, 256)));
        vu.limit(256 * 128 - 1);
        Check.status(Status.IMAGE_LAYOUT, () -> recognizer.recognize(
                Image.semiPlanar(y, 256, vu, 256, Format.NV21, 256, 256)));
        Check.throwing(IllegalArgumentException.class, () -> Image.yuv420(y, 256, vu, ByteBuffer.allocateDirect(9), 128,
                1, 256, 256));
        Check.throwing(IllegalArgumentException.class, () -> Image.yuv420(y, 256, vu, vu, 256, 2, 256, 256));
        Check.throwing(IllegalArgumentException.class, () -> Image.yuv420(y, 256, ByteBuffer.allocate(9),
                ByteBuffer.allocate(9), 256, 2, 256, 256));
        Check.isNull(() -> Image.yuv420(y, 256, null, vu, 256, 2, 256, 256));
        Check.isNull(() -> Image.semiPlanar(y, 256, null, 256, Format.NV21, 256, 256));
    }

    private static void encoded(Recognizer recognizer) {
        byte[] bmp = bmp(256, 256);
        try (Faces faces = recognizer.recognizeEncoded(bmp)) {
            Check.equal(6, faces.count());
            Check.that(faces.decodeSeconds > 0, "the time of decoding");
        }
        ByteBuffer direct = ByteBuffer.allocateDirect(bmp.length + 7);
        direct.position(7);
        direct.put(bmp).position(7);
        try (Faces faces = recognizer.recognizeEncoded(direct)) {
            Check.equal(6, faces.count());
        }
        Check.equal(7, direct.position());
        Check.throwing(IllegalArgumentException.class, () -> recognizer.recognizeEncoded(ByteBuffer.wrap(bmp)));
        Check.status(Status.IMAGE_FORMAT, () -> recognizer.recognizeEncoded(new byte[100]));
        Check.status(Status.IMAGE_CORRUPT, () -> recognizer.recognizeEncoded(new byte[0]));
        Check.status(Status.IMAGE_CORRUPT, () -> recognizer.recognizeEncoded(Arrays.copyOf(bmp, 1000)));
    }

    private static void files(Recognizer recognizer) throws Exception {
        String good = Tests.scratch("Zoë 😀.bmp");
        java.nio.file.Files.write(new java.io.File(good).toPath(), bmp(256, 256));
        try (Faces faces = recognizer.recognizeFile(good)) {
            Check.equal(6, faces.count());
        }
        Check.status(Status.IO, () -> recognizer.recognizeFile("/nowhere"));
        List<Recognition> all = recognizer.recognizeFiles(Arrays.asList(good, "/nowhere", good));
        Check.equal(3, all.size());
        for (int at : new int[] { 0, 2 }) {
            Check.equal(null, all.get(at).error());
            try (Faces faces = all.get(at).faces()) {
                Check.equal(6, faces.count());
            }
        }
        Check.equal(Status.IO, all.get(1).error().status());
        Check.status(Status.IO, () -> all.get(1).faces());
        Check.equal(0, recognizer.recognizeFiles(Arrays.<String>asList()).size());
        Check.isNull(() -> recognizer.recognizeFiles(Arrays.asList(good, null)));
        Check.isNull(() -> recognizer.recognizeFiles(null));
    }

    private static void pictures() throws Exception {
        byte[] bmp = bmp(30, 20);
        Image image;
        ByteBuffer pixels;
        try (Picture picture = Picture.decode(bmp, new DecodeOptions())) {
            Check.equal(30, picture.width());
            Check.equal(20, picture.height());
            image = picture.image();
            pixels = picture.pixels();
            Check.equal(30 * 20 * 3, pixels.remaining());
            Check.equal((byte) 30, pixels.get(0));
            Check.equal((byte) 10, pixels.get(2));
            Check.throwing(java.nio.ReadOnlyBufferException.class, () -> picture.pixels().put(0, (byte) 1));
            try (Picture turned = Picture.copy(image.rotated(90))) {
                Check.equal(20, turned.width());
                Check.equal(30, turned.height());
            }
            picture.close();
            Check.closed(picture::width);
            Check.closed(picture::image);
        }
        // The picture is closed, and its pixels are still there.
        System.gc();
        Memory.collect();
        Check.equal((byte) 20, pixels.get(1));
        try (Picture copy = Picture.copy(image)) {
            Check.equal((byte) 30, copy.pixels().get(0));
        }
        ByteBuffer direct = ByteBuffer.allocateDirect(bmp.length);
        direct.put(bmp).flip();
        Picture.decode(direct, new DecodeOptions().ignoreExif()).close();
        Check.status(Status.IMAGE_TOO_LARGE, () -> Picture.decode(direct, new DecodeOptions().maxPixels(100)));
        Check.status(Status.IMAGE_TOO_LARGE, () -> Picture.decode(bmp, new DecodeOptions().maxBytes(100)));
        Check.status(Status.IO, () -> Picture.open("/nowhere"));
        Check.isNull(() -> Picture.open(null));
        Check.isNull(() -> Picture.decode(bmp, null));
        Check.isNull(() -> Picture.copy(null));
    }
}
