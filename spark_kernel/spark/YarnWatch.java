package org.sparkkernel;

import java.util.Collections;
import org.apache.hadoop.yarn.api.protocolrecords.GetApplicationsRequest;
import org.apache.hadoop.yarn.api.records.ApplicationAttemptReport;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.ApplicationReport;
import org.apache.hadoop.yarn.api.records.YarnApplicationState;
import org.apache.hadoop.yarn.client.api.YarnClient;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.webapp.util.WebAppUtils;

/**
 * Looks after the application that a driver submits to YARN, from the submission on: until the
 * Spark context is there, nobody else can tell how it stands, or ends it when it is not wanted.
 */
public class YarnWatch implements Runnable {
  private final YarnClient client;
  private final YarnConfiguration conf;
  private final String tag;
  private volatile boolean isAttached = false;

  /**
   * @param tag The tag that the application bears, and no other.
   */
  public YarnWatch(String tag) {
    this.tag = tag;
    conf = new YarnConfiguration();
    client = YarnClient.createYarnClient();
    client.init(conf);
    client.start();
    // However the driver ends: an application without one would wait in its queue for ever.
    Runtime.getRuntime().addShutdownHook(new Thread(this, "spark-kernel-yarn"));
  }

  /** Notes that the Spark context is there, and ends the application itself from now on. */
  public void attached() {
    isAttached = true;
  }

  /** Kills the application unless the Spark context looks after it, and its master can hear it. */
  public void run() {
    try {
      ApplicationReport found = find();
      boolean isRunning =
          found != null && found.getYarnApplicationState() == YarnApplicationState.RUNNING;
      if (found != null && !(isAttached && isRunning)) {
        client.killApplication(found.getApplicationId());
      }
    } catch (Throwable ignored) {
      // The cluster is gone, or the application is.
    }
  }

  /** Gives id, state, queue and diagnostics of the application, each on a line; empty for none. */
  public String look() throws Exception {
    ApplicationReport found = find();
    if (found == null) {
      return "";
    }
    String diagnostics = String.valueOf(found.getDiagnostics()).replace('\n', ' ').trim();
    return found.getApplicationId() + "\n" + found.getYarnApplicationState() + "\n"
        + found.getQueue() + "\n" + diagnostics;
  }

  /**
   * Gives the addresses of the cluster's page and of the application master's log, on lines.
   *
   * @param identifier The id of the application.
   */
  public String addresses(String identifier) throws Exception {
    ApplicationReport found = client.getApplicationReport(ApplicationId.fromString(identifier));
    String page = WebAppUtils.getRMWebAppURLWithScheme(conf) + "/cluster";
    ApplicationAttemptReport attempt =
        client.getApplicationAttemptReport(found.getCurrentApplicationAttemptId());
    String log = client.getContainerReport(attempt.getAMContainerId()).getLogUrl();
    return page + "/app/" + found.getApplicationId() + "\n" + (log == null ? "" : log);
  }

  /** Gives the newest: each context of a driver submits one of its own, with the same tag. */
  private ApplicationReport find() throws Exception {
    GetApplicationsRequest request = GetApplicationsRequest.newInstance();
    request.setApplicationTags(Collections.singleton(tag));
    ApplicationReport newest = null;
    for (Object one : client.getApplications(request)) {
      ApplicationReport report = (ApplicationReport) one;
      if (newest == null
          || report.getApplicationId().compareTo(newest.getApplicationId()) > 0) {
        newest = report;
      }
    }
    return newest;
  }
}
