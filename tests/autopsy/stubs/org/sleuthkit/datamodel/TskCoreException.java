package org.sleuthkit.datamodel;

public class TskCoreException extends Exception {
    public TskCoreException(String message) { super(message); }
}
