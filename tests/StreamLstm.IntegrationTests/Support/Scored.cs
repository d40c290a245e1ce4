using System.Text.Json;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>What a daemon's JSONL sink has written.</summary>
internal static class Scored
{
    /// <summary>The values that were scored, by stream and in order.</summary>
    /// <param name="state">The daemon's storage directory.</param>
    public static Dictionary<string, double[]> In(string state) => File.ReadLines(Path.Combine(state, "events.jsonl"))
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Where(line => line.GetProperty("type").GetString() == "score")
        .GroupBy(line => line.GetProperty("stream").GetString()!)
        .ToDictionary(stream => stream.Key, stream => stream.Select(line => line.GetProperty("value").GetDouble()).ToArray());
}
