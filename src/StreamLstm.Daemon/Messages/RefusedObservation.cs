using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Messages;

/// <summary>What is said of an observation that could be read and is not taken, and what of it is kept.</summary>
internal static class RefusedObservation
{
    /// <summary>Whether nothing is lost with it: the stream has the same value of the same time.</summary>
    public static bool LosesNothing(RejectionReason reason) => reason == RejectionReason.Duplicate;

    /// <param name="observation">The observation.</param>
    /// <param name="reason">Why it is not taken.</param>
    /// <param name="ingestedAt">When it came.</param>
    public static string Detail(in Observation observation, RejectionReason reason, DateTimeOffset ingestedAt)
    {
        string stream = Shown(observation.Stream ?? "");
        string why = reason switch
        {
            RejectionReason.BadValue => string.Create(CultureInfo.InvariantCulture, $"value {observation.Value}, expected a finite number within 1e20"),
            RejectionReason.BadStreamName => $"a stream's name of {Encoding.UTF8.GetByteCount(observation.Stream ?? "")} bytes, expected 1 to 256",
            RejectionReason.Future => $"timestamp {observation.Time:O}, expected at most five minutes behind {ingestedAt:O}, when it came",
            RejectionReason.Late => $"timestamp {observation.Time:O}, expected one behind the stream's last",
            RejectionReason.Duplicate => $"timestamp {observation.Time:O}, which the stream has with the same value",
            RejectionReason.Conflict => $"timestamp {observation.Time:O}, which the stream has with another value; the first one stands",
            RejectionReason.StreamLimit => "a new stream, for which there is no place (limits.streams, limits.memory_mib)",
            RejectionReason.OtherKind => "the stream is of another kind, expected only values, only records or only events under one name",
            RejectionReason.TooFewColumns => "a record of fewer than two columns that are judged",
            _ => "a fault in judging it; its stream started again",
        };
        return $"stream {stream}: {why}";
    }

    /// <summary>It as JSON, as far as it is kept.</summary>
    public static byte[] Payload(in Observation observation)
    {
        string stream = Shown(observation.Stream ?? ""), timestamp = observation.Time.ToString("O", CultureInfo.InvariantCulture);
        return observation switch
        {
            { Record: { } record } => JsonSerializer.SerializeToUtf8Bytes(
                new { stream, timestamp, values = record.Columns.Zip(record.Values.ToArray()).Take(32).GroupBy(pair => pair.First).ToDictionary(pair => pair.Key, pair => pair.First().Second) }, EventJson.Options),
            { Event: { } happened } => JsonSerializer.SerializeToUtf8Bytes(new { stream, timestamp, text = Shown(happened.Text) }, EventJson.Options),
            _ => JsonSerializer.SerializeToUtf8Bytes(new { stream, timestamp, value = observation.Value }, EventJson.Options),
        };
    }

    private static string Shown(string text) => text.Length <= 256 ? text : text[..256] + "...";
}
