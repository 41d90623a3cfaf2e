package org.facecore;

import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class TestErrors {
    private TestErrors() {}

    static void run() throws Exception {
        String header = new String(Files.readAllBytes(Paths.get(System.getProperty("facecore.header"))), "UTF-8");
        theTableIsThatOfTheHeader(header);
        Check.that(Facecore.version().matches("\\d+\\.\\d+\\.\\d+.*"), Facecore.version());
        Check.that(Facecore.isCompatible(number(header, "ABI_MAJOR"), number(header, "ABI_MINOR")), "ABI");
        Check.that(!Facecore.isCompatible(number(header, "ABI_MAJOR") + 1, 0), "another ABI");
        Check.that(header.contains("FACECORE_LITE \"" + Facecore.LITE + "\""), "the lite pack's name");
        Check.equal(number(header, "CHOICE_CENTRAL"), Choice.CENTRAL.ordinal());
        Check.equal(number(header, "CHOICE_LARGEST"), Choice.LARGEST.ordinal());
        Check.equal(number(header, "FLIP_SUM"), Flip.SUM.ordinal());
        Check.equal(number(header, "FLIP_CONCAT"), Flip.CONCAT.ordinal());
        for (Format format : Format.values()) {
            Check.equal(number(header, format.name()), format.ordinal());
        }
        for (RuntimeOptions.Runtime runtime : RuntimeOptions.Runtime.values()) {
            Check.equal(number(header, "RUNTIME_" + runtime.name()), runtime.ordinal());
        }
        for (RuntimeOptions.Provider provider : RuntimeOptions.Provider.values()) {
            Check.equal(number(header, "PROVIDER_" + provider.name()), provider.ordinal());
        }
        for (RuntimeOptions.Precision precision : RuntimeOptions.Precision.values()) {
            Check.equal(number(header, "PRECISION_" + precision.name()), precision.ordinal());
        }
        FacecoreException unknown = new FacecoreException(999, "of a newer library");
        Check.equal(Status.UNKNOWN, unknown.status());
        Check.equal(null, unknown.statusName());
        Check.equal(999, unknown.number());
        Check.equal(Status.INTERNAL.number(), Fake.panic());
        Check.throwing(IllegalStateException.class, () -> Facecore.load("/again.so"));
    }

    /** Every constant of a status, and no other. */
    private static void theTableIsThatOfTheHeader(String header) {
        Map<String, Integer> there = new HashMap<>();
        Matcher rows = Pattern.compile("#define FACECORE_(\\w+) (\\d+)\n").matcher(header);
        while (rows.find()) {
            int number = Integer.parseInt(rows.group(2));
            if (number >= 100 || rows.group(1).equals("OK")) {
                there.put(rows.group(1), number);
            }
        }
        Map<String, Integer> here = new HashMap<>();
        for (Status status : Status.values()) {
            if (status != Status.UNKNOWN) {
                here.put(status.name(), status.number());
                Check.equal("FACECORE_" + status.name(), Text.of(Jni.statusName(status.number())));
            }
        }
        Check.equal(there, here);
        Check.that(here.size() > 30, "the header was read");
    }

    private static int number(String header, String name) {
        Matcher row = Pattern.compile("#define FACECORE_" + name + " (\\d+)\n").matcher(header);
        Check.that(row.find(), name);
        return Integer.parseInt(row.group(1));
    }
}
