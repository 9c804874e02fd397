#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
mkdir -p "$state"/{conf,data,tmp,lib}
ln -sf /usr/share/java/mqtt-client.jar "$state/lib/"
{
    cat <<CONF
<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.springframework.org/schema/beans
        http://www.springframework.org/schema/beans/spring-beans-2.0.xsd
        http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="lab" useJmx="false" persistent="true"
      dataDirectory="$state/data">
    <sslContext>
      <sslContext keyStore="file:$certificates/server.p12" keyStorePassword="changeit" keyStoreType="pkcs12"/>
    </sslContext>
    <transportConnectors>
CONF
    ! offers tcp || echo '      <transportConnector name="mqtt" uri="mqtt://127.0.0.1:21020"/>'
    ! offers tls || echo '      <transportConnector name="mqtt+ssl" uri="mqtt+ssl://127.0.0.1:21021"/>'
    cat <<CONF
    </transportConnectors>
  </broker>
</beans>
CONF
} >"$state/conf/activemq.xml"
exec java "${java_briefly[@]}" -Xmx512m -Djava.io.tmpdir="$state/tmp" -Dlog4j.configuration="file:$here/log4j.properties" \
    -Dactivemq.home=/usr/share/activemq -Dactivemq.base="$state" -Dactivemq.conf="$state/conf" \
    -Dactivemq.data="$state/data" -jar /usr/share/activemq/bin/activemq.jar start "xbean:file:$state/conf/activemq.xml"
