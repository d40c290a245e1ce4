using StreamLstm.Detection;

namespace StreamLstm.Sample;

/// <summary>Lines of text: which are odd, and which characters of them.</summary>
internal static class TextSample
{
    public static void Run()
    {
        var detector = new AnomalyDetector();
        var random = new Random(1);

        for (int i = 0; i < 3_000; i++)
        {
            string line = i == 2_900 ? "GET /shop/item/17?id=1;drop table--" : $"GET /shop/item/{random.Next(100)}";
            detector.Score(Observation.Of("web/requests", DateTimeOffset.UnixEpoch.AddMinutes(i), new TextEvent(line) { IsCharacters = true }));
            Samples.Tell(detector);
        }
    }
}
