package org.sleuthkit.datamodel;

import java.util.ArrayList;
import java.util.List;

public final class Blackboard {
    public final List<AnalysisResult> posted = new ArrayList<>();
    public void postArtifact(BlackboardArtifact artifact, String moduleName, Long ingestJobId) {
        if (ingestJobId == null) throw new IllegalArgumentException("no job");
        posted.add((AnalysisResult) artifact);
    }
}
