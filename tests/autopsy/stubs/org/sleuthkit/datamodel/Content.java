package org.sleuthkit.datamodel;

public interface Content {
    long getId();
    String getName();
    long getSize();
}
