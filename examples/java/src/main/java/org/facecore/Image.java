package org.facecore;

import java.nio.ByteBuffer;

/**
 * The caller's pixels, 8 bits a channel, in direct buffers: used where they lie, nothing is copied. What remains of a
 * buffer between its position and limit is what counts, when the image is made. The pixels must not change during a
 * call that is given them. An image is no handle: there is nothing to close, and it keeps its buffers.
 */
public final class Image {
    final ByteBuffer data;
    final ByteBuffer chroma;
    final byte[] layout;
    private final Format format;
    private final int width;
    private final int height;
    private final int stride;
    private final int rotation;
    private final long chromaLength;
    private final int chromaStride;
    /** What else must live as long as the image. */
    private final Object kept;

    private Image(ByteBuffer data, Format format, int width, int height, int stride, int rotation, ByteBuffer chroma,
            long chromaLength, int chromaStride, Object kept) {
        this.data = data;
        this.chroma = chroma;
        this.format = Checks.given(format, "format");
        this.width = Checks.notNegative(width, "width");
        this.height = Checks.notNegative(height, "height");
        this.stride = Checks.notNegative(stride, "stride");
        this.rotation = rotation;
        this.chromaLength = chromaLength;
        this.chromaStride = Checks.notNegative(chromaStride, "stride of the chroma");
        this.kept = kept;
        layout = new Request().number(data.capacity()).number(width).number(height).number(stride)
                .number(format.ordinal()).number(rotation).number(chromaLength).number(chromaStride).bytes();
    }

    /** Pixels without gaps between rows. */
    public static Image packed(ByteBuffer data, Format format, int width, int height) {
        return packed(data, format, width, height, 0);
    }

    /** Pixels with {@code stride} bytes from the start of one row to that of the next; 0 for no gaps. */
    public static Image packed(ByteBuffer data, Format format, int width, int height, int stride) {
        return new Image(Checks.part(data, "data"), format, width, height, stride, 0, null, 0, 0, null);
    }

    /** A camera's NV21 frame in one buffer, as Camera.PreviewCallback has it. */
    public static Image nv21(ByteBuffer frame, int width, int height) {
        return packed(frame, Format.NV21, width, height);
    }

    /** Luma and colour in two buffers; {@code format} is {@link Format#NV12} or {@link Format#NV21}. Strides are in
     * bytes, 0 for no gaps. */
    public static Image semiPlanar(ByteBuffer luma, int stride, ByteBuffer chroma, int chromaStride, Format format,
            int width, int height) {
        ByteBuffer pairs = Checks.part(chroma, "chroma");
        return new Image(Checks.part(luma, "luma"), format, width, height, stride, 0, pairs, pairs.capacity(),
                chromaStride, null);
    }

    /**
     * The three planes of an {@code android.media.Image} in YUV_420_888, with their strides. Nearly all cameras let the
     * planes of U and V lie in one another, one byte apart (pixelStride 2): that is NV12 or NV21. Valid until the
     * {@code android.media.Image} is closed, so close it after the calls that are given this.
     *
     * @throws IllegalArgumentException if the planes lie otherwise: the library does not take such without a copy
     */
    public static Image yuv420(ByteBuffer y, int yRowStride, ByteBuffer u, ByteBuffer v, int rowStride,
            int pixelStride, int width, int height) {
        ByteBuffer luma = Checks.part(y, "plane of Y");
        ByteBuffer first = Checks.part(u, "plane of U");
        ByteBuffer second = Checks.part(v, "plane of V");
        long apart = Jni.distance(first, second);
        if (pixelStride != 2 || Math.abs(apart) != 1) {
            throw new IllegalArgumentException("the planes of U and V do not lie in one another (pixelStride "
                    + pixelStride + ", " + apart + " bytes apart): copy them into one buffer of (V, U) pairs");
        }
        boolean isNv21 = apart < 0;
        ByteBuffer chroma = isNv21 ? second : first;
        // The plane that begins first ends one byte before the last pair does; that byte is the other plane's.
        long length = Math.max(chroma.capacity(), (isNv21 ? first : second).capacity() + 1L);
        return new Image(luma, isNv21 ? Format.NV21 : Format.NV12, width, height, yRowStride, 0, chroma, length,
                rowStride, isNv21 ? first : second);
    }

    /** The pixels of a picture, which stay readable for as long as the image is used. */
    static Image of(ByteBuffer pixels, int width, int height) {
        return new Image(pixels, Format.RGB, width, height, 0, 0, null, 0, 0, null);
    }

    /** The same pixels, which must be turned clockwise by 0, 90, 180 or 270 degrees to stand upright. */
    public Image rotated(int degrees) {
        return new Image(data, format, width, height, stride, degrees, chroma, chromaLength, chromaStride, kept);
    }

    /** Pixels in a row, as stored. */
    public int width() {
        return width;
    }

    /** Rows, as stored. */
    public int height() {
        return height;
    }

    public Format format() {
        return format;
    }
}
