import org.facecore.Choice;
import org.facecore.Embedding;
import org.facecore.Enrolment;
import org.facecore.Face;
import org.facecore.Faces;
import org.facecore.Facecore;
import org.facecore.FacecoreException;
import org.facecore.Gallery;
import org.facecore.Match;
import org.facecore.Namespace;
import org.facecore.Recognizer;
import org.facecore.Status;

import java.util.Locale;

/**
 * Enrols a folder of people and names the faces in a photo: {@code make identify PEOPLE=people/ PHOTO=crowd.jpg}.
 *
 * <p>people/ has a sub-folder of photos for each person, or one file each, named after them. Without a pack (a folder
 * with models and a pack.toml) the small models within the library serve, which are for research and evaluation only.
 */
public final class Identify {
    private Identify() {}

    public static void main(String[] arguments) {
        if (arguments.length < 2) {
            System.err.println("usage: Identify PEOPLE PHOTO [PACK]");
            System.exit(2);
        }
        // Gallery.open("office") keeps them in a folder instead.
        try (Recognizer recognizer = Recognizer.open(arguments.length > 2 ? arguments[2] : Facecore.LITE);
                Gallery gallery = Gallery.inMemory();
                Namespace staff = gallery.namespace("staff")) {
            enrol(recognizer, arguments[0], staff);
            identify(recognizer, staff, arguments[1]);
        } catch (FacecoreException error) {
            System.err.println(error.statusName() + ": " + error.getMessage());
            System.exit(1);
        }
    }

    /** A photo that cannot be used is told, and loses nobody else's. */
    private static void enrol(Recognizer recognizer, String people, Namespace staff) {
        Enrolment enrolment = recognizer.enrolFolder(people, staff, Choice.ONLY);
        for (Enrolment.Photo photo : enrolment.photos) {
            if (photo.status != Status.OK) {
                System.err.println(photo.path + ": skipped: " + photo.message);
            }
        }
        System.out.println("enrolled " + staff.personCount() + " people, " + enrolment.faces + " faces");
    }

    private static void identify(Recognizer recognizer, Namespace staff, String photo) {
        try (Faces faces = recognizer.recognizeFile(photo)) {
            System.out.println(photo + ": " + faces.count() + " faces   " + recognizer.embedderPlacement());
            for (int at = 0; at < faces.count(); at++) {
                try (Embedding embedding = faces.embedding(at)) {
                    System.out.println(line(faces.get(at), staff.identify(embedding)));
                }
            }
        }
    }

    private static String line(Face face, Match match) {
        String who = match == null ? String.format("%-12s %5s  %11s", "unknown", "", "")
                : String.format(Locale.ROOT, "%-12s %5.2f  margin %.2f", match.person, match.score, match.margin);
        return who + String.format(Locale.ROOT, "   [%.0f, %.0f, %.0f, %.0f]", face.x1, face.y1, face.x2, face.y2);
    }
}
