package org.sleuthkit.datamodel;

import java.io.File;
import java.util.Collection;

/** A file of a data source: here one of this disk, under the name and parent that the data source gives it. */
public class AbstractFile implements Content {
    public final File onDisk;
    private final long id;
    private final String parent, name;
    public AbstractFile(long id, String parent, String name, File onDisk) {
        this.id = id; this.parent = parent; this.name = name; this.onDisk = onDisk;
    }
    public long getId() { return id; }
    public String getName() { return name; }
    public long getSize() { return onDisk.length(); }
    public String getParentPath() { return parent; }
    public boolean isFile() { return true; }
    public AnalysisResultAdded newAnalysisResult(BlackboardArtifact.Type type, Score score, String conclusion,
            String configuration, String justification, Collection<BlackboardAttribute> attributes) throws TskCoreException {
        return new AnalysisResultAdded(
            new AnalysisResult(this, type, score, conclusion, configuration, justification, attributes));
    }
}
