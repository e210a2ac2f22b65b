package org.sparkkernel;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.scheduler.SparkListenerEvent;

/** Goes through Spark's queue of events: whoever hears of it has heard of all before it. */
public final class DataMarker implements SparkListenerEvent {
  private final Object listener;
  private final CountDownLatch latch = new CountDownLatch(1);

  public DataMarker(Object listener) {
    this.listener = listener;
  }

  public boolean logEvent() {
    return false;
  }

  public void heard(Object by) {
    if (by == listener) {
      latch.countDown();
    }
  }

  public boolean await(long timeoutMs) throws InterruptedException {
    return latch.await(timeoutMs, TimeUnit.MILLISECONDS);
  }
}
