package org.sleuthkit.autopsy.ingest;

public interface IngestModule {
    enum ProcessResult { OK, ERROR }
    class IngestModuleException extends Exception {
        public IngestModuleException(String message) { super(message); }
    }
    default void startUp(IngestJobContext context) throws IngestModuleException { }
}
