using System.Text.RegularExpressions;
using Confluent.Kafka;

namespace StreamLstm.Kafka;

/// <summary>What of the settings a trouble is about.</summary>
internal enum KafkaConcern
{
    /// <summary>Where the brokers are, and whether they answer.</summary>
    Brokers,

    /// <summary>As whom they are reached.</summary>
    Sasl,

    /// <summary>Whom to trust, and what to show.</summary>
    Tls,

    /// <summary>Which topics: they are not there, or the user may not.</summary>
    Topics,

    /// <summary>The group that offsets are committed for.</summary>
    Group,

    /// <summary>The transactions that are written in.</summary>
    Transaction,
}

/// <summary>Why something does not work at present, for people: the setting and librdkafka's own words, which hold no secret.</summary>
/// <param name="Concern">The setting.</param>
/// <param name="Detail">In words.</param>
internal sealed partial record KafkaTrouble(KafkaConcern Concern, string Detail)
{
    /// <summary>Whether it says no more than that nothing works, which whatever said why had said better.</summary>
    public bool IsVague { get; private init; }

    public static KafkaTrouble Of(Error error) => new(ConcernOf(error.Code), Words(error))
    {
        IsVague = error.Code is ErrorCode.Local_AllBrokersDown or ErrorCode.Local_TimedOut or ErrorCode.Local_TimedOutQueue or ErrorCode.Local_MsgTimedOut or ErrorCode.Local_WaitCoord,
    };

    private static KafkaConcern ConcernOf(ErrorCode code) => code switch
    {
        ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed or ErrorCode.UnsupportedSaslMechanism or ErrorCode.IllegalSaslState => KafkaConcern.Sasl,
        ErrorCode.Local_Ssl => KafkaConcern.Tls,
        ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition or ErrorCode.TopicAuthorizationFailed
            or ErrorCode.TopicException => KafkaConcern.Topics,
        ErrorCode.GroupAuthorizationFailed or ErrorCode.UnreleasedInstanceId or ErrorCode.FencedInstanceId or ErrorCode.FencedMemberEpoch => KafkaConcern.Group,
        ErrorCode.TransactionalIdAuthorizationFailed or ErrorCode.InvalidProducerEpoch or ErrorCode.ProducerFenced or ErrorCode.Local_Fenced => KafkaConcern.Transaction,
        _ => KafkaConcern.Brokers,
    };

    private static string Words(Error error) => error.Code switch
    {
        ErrorCode.TopicAuthorizationFailed => "the user may not (an ACL is missing)",
        ErrorCode.GroupAuthorizationFailed => "the user may not commit offsets for it (an ACL is missing)",
        ErrorCode.TransactionalIdAuthorizationFailed => "the user may not write in transactions (an ACL is missing)",
        ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic => "it is not there",
        ErrorCode.UnreleasedInstanceId => "another member has that name: a former life, until the brokers have missed it for long enough, or another daemon",
        ErrorCode.FencedInstanceId => "another member came with that name, and each needs its own",
        _ => HowLong().Replace(error.Reason, ""),
    };

    [GeneratedRegex(@" \(after [^)]*(\([^)]*\)[^)]*)?\)")]
    private static partial Regex HowLong();
}

/// <summary>A cluster does not answer, or refuses.</summary>
internal sealed class KafkaTroubleException(KafkaTrouble trouble, Exception? inner = null) : Exception(trouble.Detail, inner)
{
    public KafkaTrouble Trouble { get; } = trouble;
}
