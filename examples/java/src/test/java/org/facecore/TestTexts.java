package org.facecore;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** What JNI's own texts get wrong: characters beyond U+FFFF, and U+0000. */
final class TestTexts {
    static final String EMOJI = "Zoë 😀 \uD834\uDD1E 李";

    private TestTexts() {}

    static void run() throws Exception {
        try (Gallery gallery = Gallery.inMemory(); Namespace people = gallery.namespace(EMOJI);
                Embedding face = TestPeople.axis(0)) {
            Check.equal(EMOJI, people.name());
            Check.equal(Collections.singletonList(EMOJI), gallery.namespaces());
            NewFace newFace = new NewFace(face).source(EMOJI).metadata("{\"a\":\"" + EMOJI + "\\u0000\"}");
            long id = people.enrol(EMOJI, Collections.singletonList(newFace))[0];
            people.setName(EMOJI, EMOJI + EMOJI);
            Check.equal(EMOJI, people.identify(face).person);
            Person person = people.person(EMOJI);
            Check.equal(EMOJI, person.id);
            Check.equal(EMOJI + EMOJI, person.name);
            Check.equal(EMOJI, people.face(id).source);
            Check.equal(EMOJI, people.face(id).person);
            // In JSON it is written as six characters, which go through.
            Check.equal("{\"a\":\"" + EMOJI + "\\u0000\"}", people.face(id).metadata);
            Check.equal(EMOJI, people.search(face, new SearchOptions().among(Arrays.asList(EMOJI, "b"))).get(0).person);
            Check.equal(0, people.search(face, new SearchOptions().excluding(Arrays.asList("b", EMOJI))).size());
            Check.equal(1, people.search(face, new SearchOptions().filter(EMOJI::equals)).size());
            FacecoreException error = Check.status(Status.PERSON_NOT_FOUND, () -> people.removePerson("😀 nobody"));
            Check.that(error.getMessage().contains("😀 nobody"), error.getMessage());
            whatCannotBePassedIsRefused(people);
            StringBuilder longest = new StringBuilder();
            for (int at = 0; at < 128; at++) {
                longest.append("😀");
            }
            people.add(longest.toString(), face);
            Check.equal(longest.toString(), people.person(longest.toString()).id);
            Check.status(Status.INVALID_ARGUMENT, () -> people.add(longest + "a", face));
            Check.status(Status.INVALID_ARGUMENT, () -> people.add("", face));
        }
        aNulThatIsStoredIsShown();
    }

    private static void whatCannotBePassedIsRefused(Namespace people) {
        String half = "a\uD83D";
        for (String text : Arrays.asList("a\0b", "\0", half, "\uDE00", "\uD83D\uD83D\uDE00", "\uDE00\uD83D")) {
            Check.throwing(IllegalArgumentException.class, () -> people.person(text));
            Check.throwing(IllegalArgumentException.class, () -> people.setName(EMOJI, text));
            Check.throwing(IllegalArgumentException.class, () -> Pack.open(text));
            List<String> among = Arrays.asList("a", text);
            Check.throwing(IllegalArgumentException.class, () -> people.search(
                    TestPeople.AXIS, new SearchOptions().among(among)));
        }
    }

    /** In a name that was written from Rust, here by way of an export. Ids cannot have it. */
    private static void aNulThatIsStoredIsShown() throws Exception {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        try (Gallery gallery = Gallery.inMemory(); Namespace people = gallery.namespace("x")) {
            people.enrol("ann", Arrays.asList(new NewFace(TestPeople.AXIS).source("fromNULhere")));
            people.setName("ann", "beforeNULafter");
            gallery.exportTo(written);
        }
        String export = new String(written.toByteArray(), StandardCharsets.UTF_8);
        Check.that(export.contains("beforeNULafter"), export);
        byte[] changed = export.replace("NUL", "\\u0000").getBytes(StandardCharsets.UTF_8);
        byte[] ids = export.replace("\"ann\"", "\"a\\u0000n\"").getBytes(StandardCharsets.UTF_8);
        try (Gallery gallery = Gallery.inMemory()) {
            gallery.importFrom(new ByteArrayInputStream(changed));
            try (Namespace people = gallery.existingNamespace("x")) {
                Person person = people.person("ann");
                Check.equal("before\uFFFDafter", person.name);
                Check.equal("from\uFFFDhere", people.face(person.faces()[0]).source);
            }
            Check.throwing(FacecoreException.class, () -> gallery.importFrom(new ByteArrayInputStream(ids)));
        }
    }
}
