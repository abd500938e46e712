package org.sleuthkit.autopsy.ingest;

public class IngestJobContext {
    public volatile boolean isCancelled;
    public long getJobId() { return 7; }
    public boolean dataSourceIngestIsCancelled() { return isCancelled; }
}
