package org.sleuthkit.datamodel;

public final class Score {
    public static final Score SCORE_NOTABLE = new Score("notable");
    public static final Score SCORE_LIKELY_NOTABLE = new Score("likely notable");
    public final String name;
    private Score(String name) { this.name = name; }
}
