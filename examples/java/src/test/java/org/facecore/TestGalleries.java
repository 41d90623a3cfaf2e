package org.facecore;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Collections;

/** Galleries in folders, their upkeep, exports, and enrolling photos. */
final class TestGalleries {
    private TestGalleries() {}

    static void run() throws Exception {
        folders();
        streams();
        enrolments();
    }

    private static void folders() throws Exception {
        String folder = Tests.scratch("Büro 😀");
        Check.status(Status.GALLERY_NOT_FOUND, () -> Gallery.open(folder, new GalleryOptions().mustExist()));
        Check.isNull(() -> Gallery.open(null));
        Check.isNull(() -> Gallery.open(folder, null));
        GalleryOptions options = new GalleryOptions().relaxed().snapshotEvery(100).cacheBytes(1 << 20);
        try (Gallery gallery = Gallery.open(folder, options);
                Namespace staff = gallery.namespace("staff"); Embedding x = TestPeople.axis(0)) {
            staff.add("ann", x);
            staff.add("bob", x);
            staff.removePerson("bob");
            gallery.flush();
            gallery.compact();
            Gallery.Stats stats = gallery.stats();
            Check.equal(1L, stats.namespaces);
            Check.equal(1L, stats.persons);
            Check.equal(1L, stats.faces);
            Check.equal(0L, stats.removedFaces);
            Check.that(stats.storeBytes > 0 && stats.vectorBytes > 0, "bytes");
            Gallery.Verification sound = gallery.verify();
            Check.equal(0, sound.problems.size());
            Check.equal(1L, sound.persons);
            Check.equal(sound.probes, sound.agreeing);
            String backup = Tests.scratch("backup");
            gallery.backup(backup);
            Check.status(Status.INVALID_ARGUMENT, () -> gallery.backup(backup));
            try (Gallery copy = Gallery.open(backup, new GalleryOptions().readOnly().mustExist());
                    Namespace there = copy.existingNamespace("staff")) {
                Check.equal("ann", there.identify(x).person);
                Check.status(Status.GALLERY_READ_ONLY, () -> there.add("eve", x));
            }
            Check.status(Status.NAMESPACE_NOT_FOUND, () -> gallery.existingNamespace("guests"));
            gallery.namespace("guests").close();
            Check.equal(Arrays.asList("guests", "staff"), gallery.namespaces());
            gallery.dropNamespace("guests");
            Check.equal(Collections.singletonList("staff"), gallery.namespaces());
            Check.status(Status.NAMESPACE_NOT_FOUND, () -> gallery.dropNamespace("guests"));
            Check.status(Status.INVALID_ARGUMENT, () -> gallery.namespace(""));
            files(gallery);
            // A namespace keeps the gallery open.
            gallery.close();
            Check.closed(gallery::flush);
            Check.closed(gallery::namespaces);
            staff.add("cid", x);
        }
        try (Gallery gallery = Gallery.open(folder); Namespace staff = gallery.namespace("staff")) {
            Check.equal(2L, staff.personCount());
            gallery.dropNamespace("staff");
            Check.status(Status.NAMESPACE_NOT_FOUND, () -> staff.search(TestPeople.AXIS));
        }
        try (Gallery memory = Gallery.inMemory()) {
            Check.status(Status.INVALID_ARGUMENT, () -> memory.backup(Tests.scratch("none")));
            Check.equal(0, memory.namespaces().size());
        }
    }

    private static void files(Gallery gallery) throws Exception {
        String file = Tests.scratch("export 😀.jsonl");
        Gallery.Export written = gallery.exportTo(file);
        Check.equal(1L, written.persons);
        Check.equal(1L, written.faces);
        Check.equal(0L, written.damaged);
        Check.status(Status.IO, () -> gallery.exportTo(file));
        try (Gallery other = Gallery.inMemory()) {
            Gallery.Import read = other.importFrom(file);
            Check.equal(1L, read.persons);
            Check.equal(1L, read.faces);
            Check.equal(0L, read.duplicates);
            Check.equal(1L, other.importFrom(file).duplicates);
            Check.status(Status.IO, () -> other.importFrom("/nowhere"));
            Check.isNull(() -> other.importFrom((String) null));
            Check.isNull(() -> other.importFrom((InputStream) null));
            Check.isNull(() -> other.exportTo((OutputStream) null));
        }
    }

    private static void streams() throws Exception {
        try (Gallery gallery = Gallery.inMemory(); Namespace staff = gallery.namespace("staff");
                Gallery other = Gallery.inMemory()) {
            for (int at = 0; at < 64; at++) {
                try (Embedding face = TestPeople.axis(at)) {
                    staff.add("p" + at, face);
                }
            }
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            Check.equal(64L, gallery.exportTo(bytes).faces);
            Check.equal(64L, other.importFrom(slowly(bytes.toByteArray())).faces);
            IOException mine = new IOException("the disk is full");
            int[] writes = { 0 };
            Check.that(mine == Check.throwing(IOException.class, () -> gallery.exportTo(new OutputStream() {
                @Override
                public void write(int one) throws IOException {
                    throw new AssertionError("arrays are written");
                }

                @Override
                public void write(byte[] many) throws IOException {
                    writes[0]++;
                    throw mine;
                }
            })), "the very exception");
            Check.equal(1, writes[0]);
            RuntimeException unchecked = new ArithmeticException("in the midst");
            Check.that(unchecked == Check.throwing(RuntimeException.class, () -> other.importFrom(new InputStream() {
                @Override
                public int read() {
                    throw unchecked;
                }
            })), "of a stream to read too");
            Check.status(Status.GALLERY_CORRUPT, () -> other.importFrom(new ByteArrayInputStream(new byte[10])));
            // Streams that do not keep to what InputStream says of them.
            Check.throwing(Exception.class, () -> other.importFrom(new InputStream() {
                @Override
                public int read() {
                    return 7;
                }

                @Override
                public int read(byte[] into) {
                    return into.length + 1000000;
                }
            }));
        }
    }

    /** At most 3 bytes at a time. */
    private static InputStream slowly(byte[] bytes) {
        return new ByteArrayInputStream(bytes) {
            @Override
            public int read(byte[] into) {
                return read(into, 0, Math.min(3, into.length));
            }
        };
    }

    private static void enrolments() throws Exception {
        File folder = new File(Tests.scratch("people"));
        Check.that(new File(folder, "Zoë 😀").mkdirs(), "a folder");
        Files.write(new File(folder, "Zoë 😀/1.bmp").toPath(), TestImages.bmp(256, 256));
        Files.write(new File(folder, "bad.jpg").toPath(), new byte[100]);
        try (Recognizer one = Fake.open(1, 128); Gallery gallery = Gallery.inMemory();
                Namespace people = gallery.namespace("staff")) {
            Enrolment done = one.enrolFolder(folder.toString(), people, Choice.ONLY);
            Check.equal(1, done.faces);
            Check.equal(2, done.photos.size());
            for (Enrolment.Photo photo : done.photos) {
                boolean good = photo.person.equals("Zoë 😀");
                Check.that(good || photo.person.equals("bad"), photo.person);
                Check.equal(good ? Status.OK : Status.IMAGE_FORMAT, photo.status);
                Check.equal(good, photo.message == null);
                Check.equal(good, photo.face != 0);
                Check.that(photo.path.startsWith(folder.toString()), photo.path);
            }
            String photo = folder + "/Zoë 😀/1.bmp";
            done = one.enrolPhotos(Arrays.asList("a", "b"), Arrays.asList(photo, "/nowhere"), people, Choice.LARGEST);
            Check.equal(1, done.faces);
            Check.equal(Status.IO, done.photos.get(1).status);
            Check.throwing(IllegalArgumentException.class, () -> one.enrolPhotos(Arrays.asList("a"),
                    Arrays.asList(photo, photo), people, Choice.ONLY));
            Check.isNull(() -> one.enrolPhotos(Arrays.asList("a"), Collections.<String>singletonList(null), people,
                    Choice.ONLY));
            Check.isNull(() -> one.enrolFolder(null, people, Choice.ONLY));
            Check.isNull(() -> one.enrolFolder("a", null, Choice.ONLY));
            Check.isNull(() -> one.enrolFolder("a", people, null));
            Check.status(Status.IO, () -> one.enrolFolder("/nowhere", people, Choice.ONLY));
            people.close();
            Check.closed(() -> one.enrolFolder(folder.toString(), people, Choice.ONLY));
        }
    }
}
