package org.sleuthkit.autopsy.ingest;

public interface IngestModuleIngestJobSettings { }
