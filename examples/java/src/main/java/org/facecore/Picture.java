package org.facecore;

import java.nio.ByteBuffer;

/** A decoded picture, or a crop: upright, red, green, blue, without gaps between rows. */
public final class Picture extends Handle {
    Picture(long pointer) {
        super(Memory.PICTURE, pointer, "picture");
    }

    /** Decodes a file: JPEG, PNG, WebP, BMP or GIF. */
    public static Picture open(String path) {
        return open(path, new DecodeOptions());
    }

    public static Picture open(String path, DecodeOptions options) {
        Request request = new Request().text(Checks.given(path, "path"));
        Checks.given(options, "options").write(request);
        return new Picture(Jni.pictureOpen(request.bytes()));
    }

    /** Decodes a picture that is in an array, which is copied once. */
    public static Picture decode(byte[] bytes, DecodeOptions options) {
        byte[] request = Checks.given(options, "options").bytes();
        return new Picture(Jni.pictureDecode(Checks.given(bytes, "bytes"), null, request));
    }

    /** Decodes a picture that is in a direct buffer, where it lies. */
    public static Picture decode(ByteBuffer bytes, DecodeOptions options) {
        byte[] request = Checks.given(options, "options").bytes();
        return new Picture(Jni.pictureDecode(null, Checks.part(bytes, "bytes"), request));
    }

    /** Copies an image, upright, so that it outlives its buffer. */
    public static Picture copy(Image image) {
        Checks.given(image, "image");
        return new Picture(Jni.pictureCopy(image.data, image.chroma, image.layout));
    }

    public int width() {
        return (int) (call(Jni::pictureSize) >>> 32);
    }

    public int height() {
        return (int) (long) call(Jni::pictureSize);
    }

    /** The pixels as an image to hand to other calls: the picture's own memory, which stays readable for as long as the
     * image lives, also when the picture is closed. */
    public Image image() {
        return call(self -> {
            ByteBuffer pixels = Jni.picturePixels(self);
            memory().keepFor(pixels);
            long size = Jni.pictureSize(self);
            return Image.of(pixels, (int) (size >>> 32), (int) size);
        });
    }

    /** The pixels for reading, as {@link #image} has them. */
    public ByteBuffer pixels() {
        return image().data.asReadOnlyBuffer();
    }
}
