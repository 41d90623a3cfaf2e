package org.facecore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs all tests; the first that fails ends the program. */
public final class Tests {
    private Tests() {}

    public static void main(String[] arguments) throws Exception {
        if (System.getProperty("facecore.load") != null) {
            Facecore.load(System.getProperty("facecore.load"));
        }
        Map<String, Check.Body> tests = new LinkedHashMap<>();
        tests.put("errors", TestErrors::run);
        tests.put("texts", TestTexts::run);
        tests.put("models", TestModels::run);
        tests.put("images", TestImages::run);
        tests.put("embeddings", TestEmbeddings::run);
        tests.put("people", TestPeople::run);
        tests.put("searches", TestSearches::run);
        tests.put("galleries", TestGalleries::run);
        tests.put("closing", TestClosing::run);
        if (System.getProperty("facecore.images") != null) {
            tests.put("photographs", TestPhotographs::run);
        }
        for (Map.Entry<String, Check.Body> test : tests.entrySet()) {
            if (arguments.length == 0 || arguments[0].equals(test.getKey())) {
                test.getValue().run();
                System.out.println(test.getKey() + ": passed");
            }
        }
        if (arguments.length == 0 || !arguments[0].equals("photographs")) {
            TestPeople.AXIS.close();
        }
        for (int turn = 0; Memory.watched() > 0 && turn < 100; turn++) {
            System.gc();
            Thread.sleep(20);
        }
        Check.equal(0, Memory.watched());
        System.out.println(Check.count() + " checks passed");
    }

    /** A path for files of a test, at which there is nothing. */
    static String scratch(String name) throws IOException {
        Path folder = Files.createTempDirectory(Paths.get(System.getProperty("facecore.scratch")), "test");
        return folder.resolve(name).toString();
    }
}
