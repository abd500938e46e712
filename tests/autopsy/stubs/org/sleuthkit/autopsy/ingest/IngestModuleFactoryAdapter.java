package org.sleuthkit.autopsy.ingest;

public abstract class IngestModuleFactoryAdapter {
    public abstract String getModuleDisplayName();
    public abstract String getModuleDescription();
    public abstract String getModuleVersionNumber();
    public boolean isDataSourceIngestModuleFactory() { return false; }
    public DataSourceIngestModule createDataSourceIngestModule(IngestModuleIngestJobSettings ingestOptions) {
        throw new UnsupportedOperationException();
    }
}
