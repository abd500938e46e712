package org.sleuthkit.datamodel;

public class SleuthkitCase {
    private final Blackboard blackboard = new Blackboard();
    public Blackboard getBlackboard() { return blackboard; }
}
