import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import java.io.File;
import java.util.ArrayList;
import java.util.List;

/** Sends with pushy, as its README shows: to Apple's production host. */
public class PushyClient {
  public static void main(String[] arguments) throws Exception {
    final ApnsClient client =
        new ApnsClientBuilder()
            .setApnsServer(ApnsClientBuilder.PRODUCTION_APNS_HOST)
            .setSigningKey(
                ApnsSigningKey.loadFromPkcs8File(
                    new File(System.getenv("APNS_KEY")),
                    System.getenv("APNS_TEAM_ID"),
                    System.getenv("APNS_KEY_ID")))
            .build();
    final List<String> seen = new ArrayList<>();
    for (final String kind : List.of("good", "rejected", "gone")) {
      final var answer =
          client
              .sendNotification(
                  new SimpleApnsPushNotification(
                      System.getenv(kind.toUpperCase()),
                      System.getenv("APNS_TOPIC"),
                      "{\"aps\":{\"alert\":\"hello\"}}"))
              .get();
      final String said = answer.isAccepted() ? "accepted" : answer.getRejectionReason().orElse("?");
      seen.add("\"" + kind + "\":\"" + said + "\"");
    }
    System.out.println("{" + String.join(",", seen) + "}");
    client.close().get();
  }
}
