using System.Text.Json;

namespace StreamLstm.Benchmarks.Sequences;

/// <summary>What torch_peers.py printed: PyTorch's scores on the same networks and the same training.</summary>
internal static class TorchPeers
{
    private const string Resource = "torch-peers.json";

    private static readonly Lazy<Dictionary<string, double[]>> Scores = new(Read);

    /// <summary>The scores of a figure, one a seed; none where it was not recorded.</summary>
    public static IReadOnlyList<double> Of(string name) => Scores.Value
        .Where(one => name == one.Key || name == $"exactly right, {one.Key}" || name.StartsWith($"exactly right, {one.Key},", StringComparison.Ordinal))
        .Select(one => one.Value).FirstOrDefault() ?? [];

    private static Dictionary<string, double[]> Read()
    {
        using Stream? file = typeof(TorchPeers).Assembly.GetManifestResourceStream(Resource);

        if (file is null)
        {
            return [];
        }

        using var document = JsonDocument.Parse(file);
        return document.RootElement.GetProperty("scores").EnumerateObject().ToDictionary(score => score.Name, score => score.Value.EnumerateArray().Select(value => value.GetDouble()).ToArray());
    }
}
