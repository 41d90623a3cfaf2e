package org.facecore;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Paths;

/** A photograph by all ways into the library: what is found must be the same face. */
final class TestPhotographs {
    private TestPhotographs() {}

    static void run() throws Exception {
        String photo = System.getProperty("facecore.images") + "/obama.jpg";
        try (Recognizer recognizer = Recognizer.open(Facecore.LITE); Faces faces = recognizer.recognizeFile(photo);
                Embedding obama = faces.embedding(0); Picture picture = Picture.open(photo)) {
            Check.equal(1, faces.count());
            Check.equal(picture.width(), faces.width);
            byte[] bytes = Files.readAllBytes(Paths.get(photo));
            same(faces, obama, recognizer.recognizeEncoded(bytes), 0.999);
            ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length);
            direct.put(bytes).flip();
            same(faces, obama, recognizer.recognizeEncoded(direct), 0.999);
            same(faces, obama, recognizer.recognize(picture.image()), 0.999);
            cameras(recognizer, faces, obama, picture);
            String biden = System.getProperty("facecore.images") + "/biden.jpg";
            try (Picture other = Picture.open(biden)) {
                Check.that(recognizer.compare(picture.image(), picture.image(), Choice.ONLY).same, "obama is obama");
                Check.that(!recognizer.compare(picture.image(), other.image(), Choice.ONLY).same, "biden is not");
            }
        }
    }

    /** The photo as frames of a camera that is held upright, and on its side. */
    private static void cameras(Recognizer recognizer, Faces faces, Embedding obama, Picture picture) throws Exception {
        int width = picture.width() / 2 * 2;
        int height = picture.height() / 2 * 2;
        ByteBuffer frame = ByteBuffer.allocateDirect(width * height * 3 / 2);
        nv21(picture, frame, width, height, 0, width, width * height, width);
        Image whole = Image.nv21(frame, width, height);
        same(faces, obama, recognizer.recognize(whole), 0.9);
        byte[] written = new byte[frame.capacity()];
        frame.get(written);
        String folder = System.getProperty("facecore.frame", System.getProperty("facecore.scratch"));
        Files.write(new File(folder, width + "x" + height + ".nv21").toPath(), written);

        // The planes of an android.media.Image, with rows that are longer than the picture.
        int stride = (width + 63) / 64 * 64;
        ByteBuffer memory = ByteBuffer.allocateDirect(stride * height + stride * (height / 2));
        nv21(picture, memory, width, height, 0, stride, stride * height, stride);
        memory.limit(stride * (height - 1) + width);
        ByteBuffer y = memory.slice();
        int end = stride * height + stride * (height / 2 - 1) + width;
        memory.limit(end).position(stride * height + 1);
        ByteBuffer u = memory.slice();
        memory.limit(end - 1).position(stride * height);
        ByteBuffer v = memory.slice();
        Image planes = Image.yuv420(y, stride, u, v, stride, 2, width, height);
        Check.equal(Format.NV21, planes.format());
        same(faces, obama, recognizer.recognize(planes), 0.9);

        // Turned to the left in memory, so that it must be turned to the right to stand upright.
        try (Picture turned = Picture.copy(picture.image().rotated(270))) {
            int wide = turned.width() / 2 * 2;
            int high = turned.height() / 2 * 2;
            ByteBuffer side = ByteBuffer.allocateDirect(wide * high * 3 / 2);
            nv21(turned, side, wide, high, 0, wide, wide * high, wide);
            same(faces, obama, recognizer.recognize(Image.nv21(side, wide, high).rotated(90)), 0.9);
        }
    }

    private static void same(Faces expected, Embedding face, Faces found, double cosine) {
        try (Faces all = found; Embedding other = all.embedding(0)) {
            Check.equal(1, all.count());
            Check.near(expected.get(0).x1, all.get(0).x1, 6);
            Check.near(expected.get(0).y2, all.get(0).y2, 6);
            Check.that(face.cosine(other) >= cosine, "the cosine is " + face.cosine(other));
        }
    }

    /** BT.601, full range, the colour of every second pixel. */
    private static void nv21(Picture picture, ByteBuffer to, int width, int height, int lumaAt, int lumaStride,
            int chromaAt, int chromaStride) {
        ByteBuffer pixels = picture.pixels();
        int row = picture.width() * 3;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int r = pixels.get(y * row + 3 * x) & 255;
                int g = pixels.get(y * row + 3 * x + 1) & 255;
                int b = pixels.get(y * row + 3 * x + 2) & 255;
                to.put(lumaAt + y * lumaStride + x, clamp(0.299 * r + 0.587 * g + 0.114 * b));
                if (x % 2 == 0 && y % 2 == 0) {
                    int pair = chromaAt + y / 2 * chromaStride + x;
                    to.put(pair, clamp(128 + 0.5 * r - 0.418688 * g - 0.081312 * b));
                    to.put(pair + 1, clamp(128 - 0.168736 * r - 0.331264 * g + 0.5 * b));
                }
            }
        }
    }

    private static byte clamp(double value) {
        return (byte) Math.max(0, Math.min(255, Math.round(value)));
    }
}
