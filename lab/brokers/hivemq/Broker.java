import com.hivemq.embedded.EmbeddedExtension;
import com.hivemq.embedded.EmbeddedHiveMQ;
import com.hivemq.extension.sdk.api.ExtensionMain;
import com.hivemq.extension.sdk.api.auth.SimpleAuthenticator;
import com.hivemq.extension.sdk.api.auth.parameter.TopicPermission;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartOutput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopOutput;
import com.hivemq.extension.sdk.api.services.Services;
import com.hivemq.extension.sdk.api.services.builder.Builders;
import java.nio.file.Path;

/**
 * HiveMQ Community Edition, with an extension that lets everybody in: Broker FOLDER, where conf/config.xml is in the
 * folder. The extension does what the one does that comes with its distribution (hivemq-allow-all-extension).
 */
public final class Broker {
  public static void main(final String[] arguments) {
    final Path folder = Path.of(arguments[0]);
    final EmbeddedHiveMQ broker =
        EmbeddedHiveMQ.builder()
            .withConfigurationFolder(folder.resolve("conf"))
            .withDataFolder(folder.resolve("data"))
            .withExtensionsFolder(folder.resolve("extensions"))
            .withEmbeddedExtension(
                EmbeddedExtension.builder()
                    .withId("allow-all")
                    .withName("Allow all")
                    .withVersion("1")
                    .withExtensionMain(new AllowAll())
                    .build())
            .build();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> broker.stop().join()));
    broker.start().join();
  }

  private static final class AllowAll implements ExtensionMain {
    @Override
    public void extensionStart(final ExtensionStartInput input, final ExtensionStartOutput output) {
      final SimpleAuthenticator allow =
          (client, decision) -> {
            final TopicPermission everything = Builders.topicPermission().topicFilter("#").build();
            decision.getDefaultPermissions().add(everything);
            decision.authenticateSuccessfully();
          };
      Services.securityRegistry().setAuthenticatorProvider(provider -> allow);
    }

    @Override
    public void extensionStop(final ExtensionStopInput input, final ExtensionStopOutput output) {}
  }
}
