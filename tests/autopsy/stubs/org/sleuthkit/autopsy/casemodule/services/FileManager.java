package org.sleuthkit.autopsy.casemodule.services;

import java.util.ArrayList;
import java.util.List;
import org.sleuthkit.datamodel.AbstractFile;
import org.sleuthkit.datamodel.Content;

public class FileManager {
    public final List<AbstractFile> all = new ArrayList<>();
    /** Names as SQL's LIKE has them, case ignored: "%.jpg". */
    public List<AbstractFile> findFiles(Content dataSource, String fileName) {
        List<AbstractFile> found = new ArrayList<>();
        String ending = fileName.substring(1).toLowerCase();
        for (AbstractFile file : all) if (file.getName().toLowerCase().endsWith(ending)) found.add(file);
        return found;
    }
}
