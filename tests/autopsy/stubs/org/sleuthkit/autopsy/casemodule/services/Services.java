package org.sleuthkit.autopsy.casemodule.services;

public class Services {
    private final FileManager files = new FileManager();
    public FileManager getFileManager() { return files; }
}
