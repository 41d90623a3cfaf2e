import org.facecore.Detector;
import org.facecore.Face;
import org.facecore.Faces;
import org.facecore.Facecore;
import org.facecore.FacecoreException;
import org.facecore.Image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * Finds the faces in a frame as a phone's camera delivers it (NV21), without copying or converting it:
 * {@code make camera FRAME=frame.nv21 WIDTH=1280 HEIGHT=720}.
 *
 * <p>The file holds width x height bytes of luma, then the colour at half resolution. ROTATION says how many degrees
 * clockwise the frame must be turned to stand upright, as cameras tell.
 */
public final class Camera {
    private Camera() {}

    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 3) {
            System.err.println("usage: Camera FRAME WIDTH HEIGHT [ROTATION] [PACK]");
            System.exit(2);
        }
        int width = Integer.parseInt(arguments[1]);
        int height = Integer.parseInt(arguments[2]);
        int rotation = arguments.length > 3 ? Integer.parseInt(arguments[3]) : 0;
        try (Detector detector = Detector.open(arguments.length > 4 ? arguments[4] : Facecore.LITE)) {
            // From here on once a frame. On Android: Image.yuv420 with the planes of an android.media.Image.
            Image image = Image.nv21(frame(arguments[0]), width, height).rotated(rotation);
            try (Faces faces = detector.detect(image)) {
                print(faces);
            }
        } catch (FacecoreException error) {
            System.err.println(arguments[0] + ": " + error.statusName() + ": " + error.getMessage());
            System.exit(1);
        }
    }

    /** The frame that a camera would hand over, in a direct buffer. */
    private static ByteBuffer frame(String path) throws IOException {
        try (FileChannel file = FileChannel.open(Paths.get(path), StandardOpenOption.READ)) {
            return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
        }
    }

    private static void print(Faces faces) {
        System.out.println(String.format(Locale.ROOT, "%d faces in %d x %d upright pixels, %.1f ms", faces.count(),
                faces.width, faces.height, 1000 * faces.detectSeconds));
        for (Face face : faces) {
            float[] points = face.landmarks();
            System.out.println(String.format(Locale.ROOT,
                    "%.2f  [%.0f, %.0f, %.0f, %.0f]  eyes %.0f,%.0f and %.0f,%.0f", face.score, face.x1, face.y1,
                    face.x2, face.y2, points[0], points[1], points[2], points[3]));
        }
    }
}
