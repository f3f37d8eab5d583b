#!/bin/bash
exec java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${KAFKA_OPTS-} \
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '/opt/kafka/libs/*' org.apache.kafka.tools.consumer.group.ConsumerGroupCommand "$@"
