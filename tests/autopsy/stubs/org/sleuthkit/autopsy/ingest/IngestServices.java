package org.sleuthkit.autopsy.ingest;

import java.util.ArrayList;
import java.util.List;

public final class IngestServices {
    private static final IngestServices ONLY = new IngestServices();
    public final List<IngestMessage> posted = new ArrayList<>();
    public static IngestServices getInstance() { return ONLY; }
    public void postMessage(IngestMessage message) { posted.add(message); }
}
