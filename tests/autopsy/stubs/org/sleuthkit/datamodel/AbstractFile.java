package org.sleuthkit.datamodel;

import java.io.File;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** A file of a data source: here one of this disk, under the name and parent that the data source gives it. */
public class AbstractFile implements Content {
    public final File onDisk;
    private final long id;
    private final String parent, name;
    private final List<AnalysisResult> results = new ArrayList<>();
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
        AnalysisResult made = new AnalysisResult(this, type, score, conclusion, configuration, justification, attributes);
        results.add(made);
        return new AnalysisResultAdded(made);
    }
    public List<AnalysisResult> getAnalysisResults(BlackboardArtifact.Type artifactType) throws TskCoreException {
        List<AnalysisResult> found = new ArrayList<>();
        for (AnalysisResult result : results) if (result.type == artifactType) found.add(result);
        return found;
    }
}
