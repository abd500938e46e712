package org.sleuthkit.autopsy.casemodule;

import java.util.ArrayList;
import java.util.List;
import org.sleuthkit.autopsy.casemodule.services.Services;
import org.sleuthkit.datamodel.SleuthkitCase;

public class Case {
    public static Case current;
    public final List<String> reports = new ArrayList<>();
    private final String folder;
    private final Services services = new Services();
    private final SleuthkitCase database = new SleuthkitCase();
    public Case(String folder) { this.folder = folder; }
    public static Case getCurrentCaseThrows() {
        if (current == null) throw new IllegalStateException("no case is open");
        return current;
    }
    public String getModuleDirectory() { return folder; }
    public Services getServices() { return services; }
    public SleuthkitCase getSleuthkitCase() { return database; }
    public void addReport(String localPath, String srcModuleName, String reportName) { reports.add(localPath); }
}
