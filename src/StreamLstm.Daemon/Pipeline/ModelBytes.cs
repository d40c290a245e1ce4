using System.Globalization;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Base weights with their version, as snapshots and the topic of a cluster's state hold them.</summary>
internal static class ModelBytes
{
    private const string Version = "version";

    public static byte[] Of(BaseModel model)
    {
        using var buffer = new MemoryStream();
        WeightsFile.Write(buffer, model.Weights, new Dictionary<string, string> { [Version] = model.Version.ToString(CultureInfo.InvariantCulture) });
        return buffer.ToArray();
    }

    /// <exception cref="InvalidDataException">It is not what <see cref="Of"/> wrote, or of another shape.</exception>
    public static BaseModel Read(byte[] bytes)
    {
        using var buffer = new MemoryStream(bytes, writable: false);
        ForecastWeights weights = WeightsFile.Read(buffer, out IReadOnlyDictionary<string, string> said);
        return weights.Shape == BaseModel.Shape && said.TryGetValue(Version, out string? version)
            ? new BaseModel(long.Parse(version, CultureInfo.InvariantCulture), weights)
            : throw new InvalidDataException($"weights of shape {weights.Shape}, expected {BaseModel.Shape}");
    }
}
