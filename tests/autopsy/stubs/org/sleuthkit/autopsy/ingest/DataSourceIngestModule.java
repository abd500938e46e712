package org.sleuthkit.autopsy.ingest;

import org.sleuthkit.datamodel.Content;

public interface DataSourceIngestModule extends IngestModule {
    ProcessResult process(Content dataSource, DataSourceIngestModuleProgress progressBar);
}
