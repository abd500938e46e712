package org.sleuthkit.autopsy.datamodel;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import org.sleuthkit.datamodel.AbstractFile;
import org.sleuthkit.datamodel.Content;

public final class ContentUtils {
    public static long writeToFile(Content content, File outputFile) throws IOException {
        Files.copy(((AbstractFile) content).onDisk.toPath(), outputFile.toPath());
        return outputFile.length();
    }
}
