package org.sparkkernel;

/** What is known of one tag while its cell runs. */
public final class DataOfTag {
  public final DataSeen seen;
  /** Executions that have begun and not ended. */
  public volatile int running;
  public int executions;
  public int jobs;
  public volatile boolean hasRddOutput;

  public DataOfTag(FileListing files) {
    this.seen = new DataSeen(files);
  }
}
