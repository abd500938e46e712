package org.sleuthkit.autopsy.ingest;

import java.util.ArrayList;
import java.util.List;

public class DataSourceIngestModuleProgress {
    public final List<String> told = new ArrayList<>();
    private int units;
    public void switchToDeterminate(int workUnits) { units = workUnits; }
    public void switchToIndeterminate() { units = 0; }
    public void progress(int workUnits) { progress("", workUnits); }
    public void progress(String message) { told.add(message); }
    public void progress(String currentTask, int workUnits) {
        if (workUnits > units) throw new IllegalArgumentException("more than was announced");
        told.add(currentTask + " " + workUnits + " of " + units);
    }
}
