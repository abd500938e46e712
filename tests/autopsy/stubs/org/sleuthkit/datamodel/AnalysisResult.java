package org.sleuthkit.datamodel;

import java.util.Collection;

public class AnalysisResult extends BlackboardArtifact {
    public final AbstractFile file;
    public final BlackboardArtifact.Type type;
    public final Score score;
    public final String conclusion, configuration, justification;
    public final Collection<BlackboardAttribute> attributes;
    AnalysisResult(AbstractFile file, BlackboardArtifact.Type type, Score score, String conclusion,
            String configuration, String justification, Collection<BlackboardAttribute> attributes) {
        this.file = file; this.type = type; this.score = score; this.conclusion = conclusion;
        this.configuration = configuration; this.justification = justification; this.attributes = attributes;
    }
    public String getConclusion() { return conclusion; }
    public String getConfiguration() { return configuration; }
    public String getJustification() { return justification; }
}
